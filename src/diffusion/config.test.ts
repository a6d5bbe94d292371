import { expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { parseSchedulerConfig } from "./config.ts";
import { noiseSchedule, trainingTarget } from "./schedule.ts";
import { float32 } from "../tensor/tensor.ts";

const parse = (text: string) => parseSchedulerConfig(text, "scheduler_config.json");

test("Python's Infinity is a number, but stays as it is inside a string", () => {
  const { values } = parse('{"lambda_min_clipped": -Infinity, "high": Infinity, "note": "-Infinity \\" Infinity"}');
  expect(values).toEqual({ lambda_min_clipped: -Infinity, high: Infinity, note: '-Infinity " Infinity' });
});

test("the class is model_index.json's before the file's", () => {
  expect(parse('{"_class_name": "DDIMScheduler"}').className).toBe("DDIMScheduler");
  expect(parseSchedulerConfig('{"_class_name": "DDIMScheduler"}', "f", "PNDMScheduler").className).toBe(
    "PNDMScheduler",
  );
});

test.each(["", "[]", "null", "{", '{"beta_end": NaN}'])("a config of %j is an error of the model", (text) => {
  expect(() => parse(text)).toThrow(ModelError);
  expect(() => parse(text)).toThrow("scheduler_config.json: ");
});

test("the target of training is noise, velocity or the clean sample", () => {
  const [clean, noise] = [float32([2], [1, 1]), float32([3], [1, 1])];
  const target = (type: string) => {
    const schedule = noiseSchedule(
      parse(JSON.stringify({ prediction_type: type, trained_betas: [0.36, 0.5], num_train_timesteps: 2 })),
    );
    return trainingTarget(schedule, clean, noise, [0]).data[0];
  };
  expect(target("epsilon")).toBe(3);
  expect(target("sample")).toBe(2);
  expect(target("v_prediction")).toBeCloseTo(0.8 * 3 - 0.6 * 2, 6); // a = 0.64
});

test("timesteps outside the schedule, and too few of them, are refused", () => {
  const schedule = noiseSchedule(parse("{}"));
  const batch = float32([1, 2], [2, 1]);
  for (const timestep of [-1, 1000, 0.5])
    expect(() => trainingTarget({ ...schedule, predictionType: "v_prediction" }, batch, batch, [0, timestep])).toThrow(
      RangeError,
    );
  expect(() => trainingTarget({ ...schedule, predictionType: "v_prediction" }, batch, batch, [0])).toThrow(
    "1 timesteps for a batch of 2",
  );
});
