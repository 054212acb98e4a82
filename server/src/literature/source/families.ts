/** families/<library>.yaml: what the layers of pretrained models are called. */
import familiesSchema from "../../../../corpus/schema/families.schema.json";
import type { Families } from "../catalogue";
import type { Problem, SourceText } from "./problems";
import { violations } from "./schema";
import { readYaml, type YamlFile } from "./yamlFile";

export interface FamiliesFile {
  readonly yaml: YamlFile;
  readonly families?: Families;
  readonly problems: readonly Problem[];
}

const isFamilies = (value: unknown): value is Families => violations(familiesSchema, value).length === 0;

/** Reads the families of models of one library. */
export function readFamilies({ path, text }: SourceText): FamiliesFile {
  const yaml = readYaml(path, text, familiesSchema);
  return isFamilies(yaml.value)
    ? { yaml, families: yaml.value, problems: yaml.problems }
    : { yaml, problems: yaml.problems };
}
