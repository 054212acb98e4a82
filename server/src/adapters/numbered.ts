/** `wanted`, or with the first number from 2 on that makes a name which is not taken: `index`, then `index2`. */
export function numbered(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted;
  for (let number = 2; isTaken(name); number++) name = `${wanted}${number}`;
  return name;
}
