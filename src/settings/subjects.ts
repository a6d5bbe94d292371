/** The subjects of a training: one, or several that it learns together. */

/** One of several subjects, as the settings of a training of it alone have it. */
export interface Concept {
  /** The folder with its photos. */
  readonly images: string;
  /** What it is, such as "dog". */
  readonly class: string;
  /** What stands for it in prompts: its own word. */
  readonly token: string;
  /** Whether the default prompts have it wear outfits and swim. Absent: by the class word. */
  readonly subject?: "live" | "object" | undefined;
  /** A word of one token that its own begins as. Absent: the method's. */
  readonly initializer?: string | undefined;
  /** A folder with pictures of its class. Absent: the starting model draws them. */
  readonly classFolder?: string | undefined;
  /** The prompt of its photos, with {token} and {class}. Absent: that of the run's prompts. */
  readonly plain?: string | undefined;
}

/**
 * A training's settings as each of its subjects has them, in the subjects' order: with its photos, its class and its word. Of one subject they
 * are the training's own.
 */
export function subjectsOf<T extends { readonly concepts?: readonly Concept[] | undefined }>(
  settings: T,
): readonly (T & Pick<Concept, "plain">)[] {
  // a model's own initial word would be that of all
  return settings.concepts?.map((concept) => ({ ...settings, initializer: undefined, ...concept })) ?? [settings];
}

/** What subjects are called: "<new1> dog and <new2> teapot". */
export function subjectNames(subjects: readonly Pick<Concept, "token" | "class">[]): string {
  const names = subjects.map(({ token, class: className }) => `${token} ${className}`);
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
