/** Annotations of the corpus as they are inserted into a file that is for a Python of today: without quotes. */
export const unquoted = (python: string): string =>
  python.replace(/(: |-> )"([^"\n]*[|[][^"\n]*)"(?=,|\)|:|\n| = )/g, "$1$2");
