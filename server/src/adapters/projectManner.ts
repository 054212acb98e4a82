/** What a project's configuration says of the manner of its code. */
export interface ProjectManner {
  /** Columns that a line may have. */
  readonly width?: number;
  /** Where a file has no strings to go by. */
  readonly quote?: '"' | "'";
  /** One level, where a file has none to go by. */
  readonly indent?: string;
  /** The oldest Python that the code is for, as its minor version: 9 for 3.9. */
  readonly python?: number;
}
