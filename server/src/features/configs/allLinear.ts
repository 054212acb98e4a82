/** `"all-linear"` as the list of names that it stands for in the model at hand, and back. */
import { literal } from "../../adapters/callSites/arguments";
import { edit } from "../../adapters/edits";
import { linearNames } from "../effect/linearNames";
import { configuredModel } from "../effect/model";
import { isNamed } from "../effect/paths";
import { linearLayersOf, type Loaded, loadedFor } from "../family";
import { argumentsHere, type CallAt, listed, type Offer } from "./offer";

const shorthand = "all-linear";

export function allLinearOffers(at: CallAt): Offer[] {
  const { call, symbol, document } = at;
  if (symbol?.kind !== "config" || symbol.library !== "peft" || !call.closed) return [];
  // before the model is looked for, which takes the whole file
  const setting = argumentsHere(at).setting("target_modules");
  if (setting.kind !== "given") return [];
  const { value, argument } = setting;
  const { quote } = document.python.facts.layout;
  const { from, to } = argument.value.range;
  const replaced = (written: string) => () => [edit(from, to, written)];

  if (value.kind === "string" && value.value.toLowerCase() === shorthand) {
    const model = configuredModel(at, document, call);
    const loaded = model === undefined ? completeFamily(at) : undefined;
    const known = model?.model ?? loaded?.name;
    const names = model === undefined ? loaded && linearLayersOf(loaded.family) : linearNames(model.found);
    const title = `Write "${shorthand}" as the list of names`;
    if (known === undefined || names === undefined) {
      const disabled =
        known === undefined
          ? "The model of this configuration, or a part of it, is not in sight here."
          : `Linear layers of ${known} have no names of their own.`;
      return [{ key: shorthand, title, disabled, edits: () => [] }];
    }
    const list = `[${names.map((name) => literal(name, quote)).join(", ")}]`;
    return [
      {
        key: shorthand,
        title: `${title}, in \`${known}\` ${listed(names)}`,
        prominent: true,
        edits: replaced(list),
      },
    ];
  }

  if (value.kind !== "list" || argumentsHere(at).setting("layers_to_transform").kind === "given") return [];
  const wanted = value.items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
  const known = wanted.length === value.items.length ? configuredModel(at, document, call) : undefined;
  const loaded = known === undefined && wanted.length > 0 ? completeFamily(at) : undefined;
  const all = loaded === undefined ? [] : linearLayersOf(loaded.family);
  const isWhole =
    loaded !== undefined &&
    wanted.length === value.items.length &&
    all.every((name) => wanted.includes(name)) &&
    wanted.every((name) => all.includes(name));
  const isAll =
    known !== undefined &&
    linearNames(known.found) !== undefined &&
    known.found.every(({ key, layer }) => {
      const is = wanted.map((name) => isNamed(key, name));
      return layer.role === "linear" ? is.includes("yes") : is.every((each) => each === "no");
    });
  return isAll || isWhole
    ? [
        {
          key: "list",
          title: `Write the list as "${shorthand}", which is the same in \`${known?.model ?? loaded?.name ?? ""}\``,
          prominent: true,
          edits: replaced(literal(shorthand, quote)),
        },
      ]
    : [];
}

/** The pretrained model, where its family says all of its linear layers. */
function completeFamily(at: CallAt): Loaded | undefined {
  const loaded = loadedFor(at, at.document, at.call);
  return loaded?.withHead === true && loaded.family.complete === true ? loaded : undefined;
}
