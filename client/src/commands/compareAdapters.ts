import { lineOf } from "../editor";
import type { Session } from "../session";
import { findPlace, readWanted } from "./insertAdapter";

/** Everything that fits the class at the cursor, as a table and a picture; a row inserts. */
export async function compareAdapters(session: Session, ...given: readonly unknown[]): Promise<void> {
  const { place } = findPlace(readWanted(given).place);
  const all = await session.server.request("adapterChoices", place);
  const choices = all.filter(({ scope }) => scope !== undefined);
  if (choices.length === 0)
    throw new Error(
      `${lineOf(place)}: nothing to compare here. Put the cursor in a class derived from nn.Module whose layers are made in __init__, or on the line that builds a model.`,
    );
  session.comparison.show({ place, choices });
}
