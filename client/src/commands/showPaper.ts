import { pickPaper } from "../paperPicker";
import type { Session } from "../session";

/** Opens the page of the paper with the id given, or of one that the user picks. */
export async function showPaper(session: Session, argument: unknown): Promise<void> {
  const id =
    typeof argument === "string"
      ? argument
      : await pickPaper(session, { title: "Litlens: Show Paper", preview: false });
  if (id !== undefined) await session.page.show(id);
}
