/** The Python of the corpus, bundled as text: what an insertion must bring into a document. */
declare module "*.py" {
  const text: string;
  export default text;
}

/** A saved page of papers. */
declare module "*.txt" {
  const text: string;
  export default text;
}
