/** The model that a configuration is given with, where it is a class whose layers can all be seen. */
import { type Found, layersOf } from "../../adapters/modelTargets";
import type { Call, ModuleClass, PythonFacts } from "../../python/facts";
import { around, moduleOfType } from "../../python/local";
import { type CallStep, valuesOf } from "../../python/values/values";
import type { FeatureContext, OpenDocument } from "../context";
import { argumentAt, callsTo, makerOf, peftModel, sameModule } from "../rules/origins";
import type { RuleContext } from "../rules/rule";

/** All layers of the model that a configuration is given with; undefined where one may be out of sight. */
export function configuredModel(
  context: FeatureContext,
  document: OpenDocument,
  call: Call,
): { readonly model: string; readonly found: readonly Found[] } | undefined {
  const { facts } = document.python;
  const values = valuesOf(facts);
  const step = values.written(call.range);
  return step && modelOf({ ...context, document, values }, step);
}

/** The same of a step that rules look at. */
export function modelOf(
  context: RuleContext,
  config: CallStep,
): { readonly model: string; readonly found: readonly Found[] } | undefined {
  const model = modelFor(context, config);
  const found = model && completeLayers(context.document.python.facts, model);
  return found && { model: model.name, found };
}

/** The class of the model that a configuration is given with, where that is one. */
function modelFor(context: RuleContext, config: CallStep): ModuleClass | undefined {
  const { facts } = context.document.python;
  const wrapping = new Set(callsTo(context, ...peftModel));
  const steps = new Set([...wrapping, ...context.values.callsGiving("peft_config")]);
  const classes = [...steps].flatMap((step): (ModuleClass | undefined)[] => {
    const wraps = wrapping.has(step);
    const argument = argumentAt(step, wraps ? 1 : 99, "peft_config");
    if (argument === undefined || makerOf(context, argument.value, step) !== config) return [];
    const isTrainer = /^trl\.\w+(?:\.\w+)*Trainer$/.test(step.qualified ?? "");
    const model = wraps || isTrainer ? argumentAt(step, 0, "model") : undefined;
    const made = model && makerOf(context, model.value, step);
    const type = made?.qualified;
    if (
      made === undefined ||
      type === undefined ||
      !isUntouched(context, model?.value.text ?? "", made, step)
    )
      return [undefined];
    return [moduleOfType(facts, type)];
  });
  const [only] = classes;
  return classes.every((each) => each === only) ? only : undefined;
}

/** Methods that leave the layers of a module what they are. */
const keepsLayers = new RegExp(
  `${sameModule.source}|^(?:load_state_dict|state_dict|(?:named_)?(?:parameters|modules|buffers)|zero_grad)$`,
);

/** Whether nothing between two calls can have replaced layers of the model: no function gets it, no part is assigned. */
function isUntouched({ values }: RuleContext, name: string, made: CallStep, used: CallStep): boolean {
  // what the function that made it did with it is not looked at
  if (made.body !== used.body) return false;
  return values.callsBetween(made, used).every(({ call, receiver, method }) => {
    if (receiver === name) return keepsLayers.test(method);
    if (receiver?.startsWith(`${name}.`) === true) return false;
    if (call.assignedTo?.startsWith(`${name}.`) === true) return false;
    return !call.arguments.some(({ value }) => value.text === name);
  });
}

/** All layers of a model; undefined where some of them may be out of sight. */
function completeLayers(facts: PythonFacts, model: ModuleClass): readonly Found[] | undefined {
  const seen = new Set<ModuleClass>();
  const lookup = (type: string, owner: ModuleClass): ModuleClass | undefined => {
    seen.add(owner);
    return moduleOfType(facts, type, owner);
  };
  seen.add(model);
  const found = layersOf(model, lookup, [], 1);
  const readable = [...seen].every(
    (module) =>
      module.bases.every((base) => base === "torch.nn.Module" || lookup(base, module) !== undefined) &&
      !takesFromHelper(facts, module),
  );
  const complete = found.every(({ key, layer }) => {
    if (layer.role === "attention") return false;
    if (layer.role === "container") return found.some((each) => each.key.startsWith(`${key}.`));
    return layer.role !== "module" || /^torch\.nn\.(?!Transformer)\w+$/.test(layer.type);
  });
  return readable && complete ? found : undefined;
}

/** Whether an attribute that is not known as a layer comes from a function, which may make one: `self.h = make_blocks()`. */
const takesFromHelper = (facts: PythonFacts, module: ModuleClass): boolean =>
  facts.modules.includes(module) &&
  around(facts, "calls", module.range.from, module.range.to).some(({ range, assignedTo, qualified = "" }) => {
    const attribute = /^self\.(\w+)$/.exec(assignedTo ?? "")?.[1];
    if (attribute === undefined || range.from < module.range.from || range.to > module.range.to) return false;
    if (module.layers.some(({ path }) => path.split(".")[0] === attribute)) return false;
    return (
      /(?:^|\.)[a-z]\w*$/.test(qualified) &&
      !/^(?:torch|math|numpy|copy)\./.test(qualified) &&
      (qualified.includes(".") || facts.functions.some(({ name }) => name === qualified))
    );
  });
