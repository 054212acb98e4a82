/** Items by key, in order. */
export function group<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const at = key(item);
    const members = groups.get(at);
    if (members === undefined) groups.set(at, [item]);
    else members.push(item);
  }
  return groups;
}
