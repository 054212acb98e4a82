/** docs/RULES.md: what diagnostics point out, why, and how it is known. */
import type { Rule } from "../../server/src/literature/catalogue";
import type { Corpus } from "../../server/src/literature/model";

const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s+/g, " ").trim();

/** The page of a citation that is an issue or a paper; other citations stay text. */
function citation(text: string): string {
  const issue = /^([\w.-]+\/[\w.-]+)#(\d+)$/.exec(text);
  if (issue !== null) return `[${text}](https://github.com/${issue[1]}/issues/${issue[2]})`;
  const arxiv = /^arXiv:([\d.]+)$/.exec(text)?.[1];
  return arxiv === undefined ? text : `[${text}](https://arxiv.org/abs/${arxiv})`;
}

function row({ id, message, why, severity, default: on, evidence, citations, fixes }: Rule): string {
  const cells = [
    `\`${id}\``,
    `${message} ${why}`,
    on ? severity : `off (${severity})`,
    fixes.length > 0 ? "yes" : "",
    `${evidence} ${citations.map(citation).join(", ")}`,
  ];
  return `| ${cells.map(cell).join(" | ")} |`;
}

export const rulesPage = ({ rules = [] }: Corpus): string => `# Rules

${rules.length} mistakes that diagnostics point out. Words in braces are filled in from the code. A rule speaks only where nothing else can be meant. \`litlens.diagnostics.rules\` turns one off, or on, or shows it as another severity: \`{ "merge-dropped": "off" }\`. This page is generated from the corpus by \`npm run methods\`.

| rule | what and why | shown as | declared fix | known from |
|---|---|---|---|---|
${rules.map(row).join("\n")}
`;
