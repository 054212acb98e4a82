/** Items by key, in order. */
export function group<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const at = key(item);
    const members = groups.get(at);
    if (members === undefined) groups.set(at, [item]);
    else members.push(item);
  }
  return groups;
}
