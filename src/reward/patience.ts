/** A validation, or what was made of one. */
interface Step {
  readonly step: number;
}

/** The validations that early stopping counts: all but those that somebody asked for out of turn. */
export function countedOf<V extends { readonly extra?: true | undefined }>(validations: readonly V[]): readonly V[] {
  return validations.filter(({ extra }) => extra !== true);
}

/** Early stopping: whether the best of the validations so far is `patience` validations old. Without a best one training goes on. */
export function isOutOfPatience(validations: readonly Step[], best: Step | undefined, patience: number): boolean {
  if (best === undefined) return false;
  return validations.length - 1 - validations.findIndex(({ step }) => step === best.step) >= patience;
}
