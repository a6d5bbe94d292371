/** The folder of a run for `tensorboard --logdir`. */
export const TENSORBOARD_FOLDER = "tensorboard";
