/** Names that a library had once; what replaced them is the same thing under another name. */
export interface RemovedSymbol {
  readonly name: string;
  readonly modules: readonly string[];
  readonly library: string;
  /** The release that no longer has it. */
  readonly since: string;
  readonly replacement: string;
}

export const removedSymbols: readonly RemovedSymbol[] = [
  {
    name: "BoneConfig",
    modules: ["peft", "peft.tuners", "peft.tuners.bone", "peft.tuners.bone.config"],
    library: "PEFT",
    since: "0.19",
    replacement: "MissConfig",
  },
  {
    name: "BoneModel",
    modules: ["peft", "peft.tuners", "peft.tuners.bone", "peft.tuners.bone.model"],
    library: "PEFT",
    since: "0.19",
    replacement: "MissModel",
  },
];
