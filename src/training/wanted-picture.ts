/** A picture that a method wants drawn. */
export interface WantedPicture {
  /** What the method uses it as, such as "negative". Part of its file's name. */
  readonly use: string;
  /** What the model reads. */
  readonly text: string;
  /** What it should show, which its ALIGN-T asks: a text without the identifier. */
  readonly prompt: string;
  /** Which of the method's prompts it is, and which picture of it. */
  readonly promptIndex: number;
  readonly index: number;
  /** Of its noise. */
  readonly seed: number;
}
