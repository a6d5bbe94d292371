#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { JSON_LINES, MACHINE } from "../settings/common.ts";
import { DEMO, DEMO_COMMAND, DEMO_TRAINING } from "../settings/demo.ts";
import { EVALUATE } from "../settings/evaluate.ts";
import { EXPORT } from "../settings/export.ts";
import { GENERATE } from "../settings/generate.ts";
import { JUDGE, JUDGE_COMMAND } from "../settings/judge.ts";
import { MERGE } from "../settings/merge.ts";
import { REPORT } from "../settings/report.ts";
import { SELECT } from "../settings/select.ts";
import { UI } from "../settings/ui.ts";
import { pickGiven } from "../settings/setting.ts";
import { TRAIN, TRAIN_COMMAND } from "../settings/train.ts";
import { VERSION } from "../system/version.ts";
import { addBenchCommands } from "./bench-commands.ts";
import { EXIT, reportFailure } from "./failure.ts";
import { addCommand, COMMANDS } from "./flags.ts";
import { addGpuCommands } from "./gpu-commands.ts";
import { watchOutput } from "./output.ts";

/** The command line. Commands are imported when they run, so that help and wrong usage answer at once. */

// libvips is not loaded yet, and reads this when it is. A second lock: src/images/kinds.ts lets none but safe kinds through to it. In a
// library user's own process, other kinds are not ours to block.
process.env["VIPS_BLOCK_UNTRUSTED"] ??= "1";

const program = new Command("rpo")
  .description("Teach a Stable Diffusion model your subject from a few photos, and keep the right checkpoint.")
  .version(VERSION)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`rpo: ${text.replace(/^error: /, "")}`) })
  .showHelpAfterError("(see rpo --help)");

addCommand(program, {
  name: "train",
  about: "fine-tune a model on photos of a subject",
  settings: TRAIN,
  control: TRAIN_COMMAND,
  examples: `A model may bring defaults of its own in its folder's rpo.json: tiny trains all of its U-Net, 240 steps at 6e-4 with soft
labels. A run's config.json holds what it was trained with.

Examples:
  rpo train --model sd15 --images ./my-dog --class dog
  rpo train --model owner/name@main --variant fp16 --images ./my-dog --class dog
  rpo train --model ./sd15 --reward ./align-base --images ./teapot --class teapot --lambda 0.3 --memory low
  rpo train --model sd15 --images ./my-dog --class dog --method dreambooth --class-pictures 50
  rpo train --model sd15 --method custom --concepts concepts.json
  rpo train --resume --output runs/dog-1`,
  async run({ settings, control }) {
    const { trainCommand } = await import("./train.ts");
    return trainCommand({ settings, ...control });
  },
});

addCommand(program, {
  name: "judge",
  about: "which of these checkpoints to keep: judge those of any trainer, by your photos and prompts",
  settings: JUDGE,
  control: { ...JUDGE_COMMAND, ...JSON_LINES },
  examples: `Draws the validation prompts with each checkpoint and with the starting model, from the same noises, and scores the pictures. Writes a
run's folder, which rpo report, select, generate and export work on. The same command again goes on where it was, and takes new files too.

Examples:
  rpo judge --checkpoints "output/dog-*.safetensors" --images my-dog --class dog --token ohwx --model sdxl
  rpo judge --checkpoints output --images my-dog --class dog --token sks --model sd15 --watch
  rpo judge --samples output/sample --prompts sample_prompts.txt --images my-dog --class dog --token ohwx`,
  async run({ settings, control }) {
    const { judgeCommand } = await import("./judge.ts");
    return judgeCommand({ settings, ...control });
  },
});

addCommand(program, {
  name: "generate",
  about: "draw pictures with a model, and with what was trained",
  settings: GENERATE,
  control: JSON_LINES,
  examples: `Examples:
  rpo generate --adapter runs/dog-1 --prompt "a [V] dog on the beach" --output pictures
  rpo generate --model sd15 --prompt "a red teapot" -n 1 --seed 7 --output pictures
  rpo generate --model v1-5.safetensors --lora style.safetensors:0.6 --lora detail.safetensors --prompt "a teapot" --output pictures
  rpo generate --adapter runs/dog-1 --lora style.safetensors:0.5 --prompt "a [V] dog" --output pictures`,
  async run({ settings, control }) {
    const { generateCommand } = await import("./generate.ts");
    return generateCommand(settings, control);
  },
});

addCommand(program, {
  name: "select",
  about: "choose another checkpoint of a run for another lambda, without training",
  argument: { name: "<run>", about: "the run's folder" },
  settings: SELECT,
  control: JSON_LINES,
  examples: "Example:\n  rpo select runs/dog-1 --lambda 0.3",
  async run({ settings, control, argument }) {
    const { selectCommand } = await import("./select.ts");
    return selectCommand(argument, settings, control);
  },
});

addCommand(program, {
  name: "export",
  about: "write what was trained in the format of another program",
  argument: { name: "<run>", about: "a run's folder, whose chosen checkpoint is exported; or one of its checkpoints" },
  settings: EXPORT,
  control: JSON_LINES,
  examples: `Examples:
  rpo export runs/dog-1 --format kohya --dtype f16 --output dog.safetensors
  rpo export runs/dog-1 --format diffusers --dtype f16 --output dog-model
  rpo export runs/dog-1/checkpoints/000080 --format peft
Another checkpoint for another lambda: rpo select runs/dog-1 --lambda 0.3, then export.`,
  async run({ settings, control, argument }) {
    const { exportCommand } = await import("./export.ts");
    return exportCommand(argument, settings, control);
  },
});

addCommand(program, {
  name: "merge",
  about: "several subjects in one model: merge trainings of Custom Diffusion, without training again",
  argument: { name: "<run...>", about: "runs of --method custom on one model, or checkpoints of it" },
  settings: MERGE,
  control: JSON_LINES,
  examples: `Examples:
  rpo merge runs/dog-1 runs/teapot-1 --output dog-and-teapot
  rpo generate --adapter dog-and-teapot --model sd15 --prompt "a <new1> dog beside a <new2> teapot" --output pictures
  rpo export dog-and-teapot --model sd15 --format diffusers --output model`,
  async run({ settings, control, words }) {
    const { mergeCommand } = await import("./merge.ts");
    return mergeCommand(words, settings, control);
  },
});

addCommand(program, {
  name: "report",
  about: "one HTML page about a run: photos, curves, pictures, and a slider for lambda",
  argument: { name: "<run>", about: "the run's folder; it may still be running" },
  settings: REPORT,
  control: JSON_LINES,
  examples: "Example:\n  rpo report runs/dog-1",
  async run({ settings, control, argument }) {
    const { reportCommand } = await import("./report.ts");
    return reportCommand(argument, settings, control);
  },
});

addCommand(program, {
  name: "ui",
  about: "a page over your runs: watch one train, stop it, choose its checkpoint by eye",
  argument: { name: "[folder...]", about: "folders of runs, or runs (default runs)" },
  settings: UI,
  control: JSON_LINES,
  examples: "Examples:\n  rpo ui\n  rpo ui runs /data/more-runs --port 8000",
  async run({ settings, control, words }) {
    const { uiCommand } = await import("./ui.ts");
    return uiCommand(words, settings, control);
  },
});

addCommand(program, {
  name: "demo",
  about: "see the whole method on a bundled subject, in about two minutes",
  settings: { ...DEMO, ...DEMO_TRAINING },
  control: DEMO_COMMAND,
  examples: "Examples:\n  rpo demo\n  rpo demo --subject dog --output runs/dog",
  async run({ settings, control }) {
    const { demoCommand } = await import("./demo.ts");
    const [own, training] = [pickGiven(DEMO, settings), pickGiven(DEMO_TRAINING, settings)];
    return demoCommand({ settings: own, training, ...control });
  },
});

addCommand(program, {
  name: "evaluate",
  about: "judge pictures of a subject: DINO, CLIP-I, CLIP-T, ALIGN, copy rate, diversity",
  settings: EVALUATE,
  control: JSON_LINES,
  examples: `Examples:
  rpo evaluate --references my-dog --images pictures --dino facebook/dino-vits16 --clip openai/clip-vit-base-patch16
  rpo evaluate --references my-dog --images pictures --dino ./dino-vits16`,
  async run({ settings, control }) {
    const { evaluateCommand } = await import("./evaluate.ts");
    return evaluateCommand(settings, control);
  },
});

addBenchCommands(program);
addGpuCommands(program);

addCommand(program, {
  name: "doctor",
  about: "look whether this machine is fit: Node, processor, memory, disks, engine, and how long a run would take",
  settings: { threads: { ...MACHINE.threads, help: "of the measurement, which takes two seconds" } },
  control: JSON_LINES,
  examples: "Example:\n  rpo doctor\n\nExits 1 when something will not work.",
  async run({ settings, control }) {
    const { doctorCommand } = await import("./doctor.ts");
    return doctorCommand(settings, control);
  },
});

addCommand(program, {
  name: "schema",
  about: "the JSON Schema of a command's --config file, for editors",
  argument: { name: "[command]", about: "train, demo or bench (default train)" },
  settings: {},
  control: {},
  examples:
    'Example:\n  rpo schema > rpo.schema.json\n\nA file that begins {"$schema": "./rpo.schema.json", ...} is then completed and checked as it is written.',
  async run({ argument }) {
    const { schemaCommand } = await import("./schema.ts");
    return schemaCommand(argument === "" ? "train" : argument);
  },
});

addCommand(program, {
  name: "completion",
  about: "a script by which a shell completes rpo's commands, flags and their values",
  argument: { name: "<shell>", about: "bash, zsh or fish" },
  settings: {},
  control: {},
  examples: `Examples:
  rpo completion bash > ~/.local/share/bash-completion/completions/rpo
  rpo completion zsh > "\${fpath[1]}/_rpo"
  rpo completion fish > ~/.config/fish/completions/rpo.fish`,
  async run({ argument }) {
    const { completionCommand } = await import("./completion/command.ts");
    return completionCommand(argument, program, COMMANDS);
  },
});

/** "rpo bench tinybench" */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

watchOutput();
try {
  for (const command of program.commands.flatMap((each) => [each, ...each.commands]))
    command
      .exitOverride()
      .configureOutput(program.configureOutput())
      .showHelpAfterError(`(see ${pathOf(command)} --help)`);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else process.exitCode = reportFailure(error);
}
