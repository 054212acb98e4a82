/** Assets that the build embeds in the worker as text. */
declare module "litlens:*.json" {
  const text: string;
  export default text;
}
