#!/usr/bin/env node
import type { CommandUnknownOpts, Command as TypedCommand } from "@commander-js/extra-typings";
import { Command, CommanderError } from "commander";
import { UsageError } from "../system/errors.ts";
import { VERSION } from "../system/version.ts";
import { addBenchCommands } from "./bench-commands.ts";
import { EXIT, reportFailure } from "./failure.ts";
import { givenOnly } from "./given.ts";
import { watchOutput } from "./output.ts";

/** The command line. Commands are imported when they run, so that help and wrong usage answer at once. */

// libvips is not loaded yet, and reads this when it is. A second lock: src/images/kinds.ts lets none but safe kinds through to it. In a
// library user's own process, other kinds are not ours to block.
process.env["VIPS_BLOCK_UNTRUSTED"] ??= "1";

// The typings are a package for development only; what runs is commander.
const program = new (Command as unknown as typeof TypedCommand)("rpo")
  .description("Teach a Stable Diffusion model your subject from a few photos, and keep the right checkpoint.")
  .version(VERSION)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`rpo: ${text.replace(/^error: /, "")}`) })
  .showHelpAfterError("(see rpo --help)");

const HUB_HELP = "a name on the hub (owner/name[@revision])";
const VARIANT_HELP = "of the model's weights, such as fp16 (default: the plain files)";
const DEVICE_HELP = "cpu, or webgpu for a GPU (default cpu)";
const JSON_HELP = "machine-readable lines on stdout";

program
  .command("train")
  .description("fine-tune a model on photos of a subject by RPO")
  .option(
    "--model <model>",
    `Stable Diffusion 1.x, 2.x or XL: a diffusers folder, one .safetensors file, ${HUB_HELP}, sd15, sd21, sdxl, or tiny, the embedded miniature (default tiny)`,
  )
  .option("--variant <name>", VARIANT_HELP)
  .option(
    "--reward <model>",
    `an ALIGN model: a transformers folder, ${HUB_HELP}, or tiny (default kakaobrain/align-base; tiny with --model tiny)`,
  )
  .option("--images <folder>", "the photos, 4 to 6 of them")
  .option("--class <word>", 'what the subject is, such as "dog"')
  .option("--token <text>", 'the identifier in the prompts (default "[V]")')
  .option("--output <folder>", "the run's folder (default: runs/<class>-<n>)")
  .option("--adapter <kind>", "lora, or full for all of the U-Net (default lora)")
  .option("--rank <n>", "of the LoRA (default 16)")
  .option("--lora-alpha <x>", "the LoRA is scaled by alpha / rank (default 16)")
  .option("--targets <layers>", "attention, or attention+ff for the feed-forward layers too (default attention)")
  .option("--lr <x>", "learning rate (default 1e-4 for a LoRA, 5e-6 for full)")
  .option("--steps <n>", "at most so many (default 400)")
  .option("--resolution <pixels>", "side of the pictures (default: the model's)")
  .option("--crop <how>", "center cuts a square out of each photo, none squeezes it (default center)")
  .option("--beta <x>", "how steep the preference is (default 1)")
  .option(
    "--condition <text>",
    "the photo's prompt in the margin: modifier as in the paper, prompt as in the authors' script (default modifier)",
  )
  .option("--labels <kind>", "sampled, or soft for their expectation (default sampled)")
  .option("--reward-scale <x>", "factor on reward differences in labels (default 1)")
  .option("--negatives <n>", "pictures of the starting model for each training prompt (default 4)")
  .option(
    "--lambda <x>",
    "0 to 1: how much likeness counts against the prompt when the checkpoint is chosen (default 0.5)",
  )
  .option("--validate-every <n>", "steps (default 40)")
  .option("--validation-images <n>", "for each validation prompt (default 4)")
  .option("--validation-steps <n>", "sampler steps of negatives and validation pictures (default 20)")
  .option(
    "--sampler <name>",
    "of negatives and validation pictures: ddim, pndm, dpm, euler, or checkpoint for the folder's own (default dpm)",
  )
  .option("--guidance <x>", "of negatives and validation pictures; 1 or less is none (default 7.5, or the model's own)")
  .option("--patience <n>", "validations without a better reward before stopping (default 3)")
  .option("--no-preference", "train on the photos alone (L_sim)")
  .option("--no-early-stopping", "take all steps whatever the reward does")
  .option("--prompts <file>", "training and validation prompts of your own")
  .option("--hold-out <photo>", "one of the photos not to train on, to judge by afterwards (rpo evaluate --hold-out)")
  .option("--memory <kind>", "normal, or low to compute activations again instead of holding them (default normal)")
  .option("--threads <n>", "default: one a core")
  .option("--seed <n>", "default 0")
  .option("--device <name>", DEVICE_HELP)
  .option("--resume", "continue the run in --output")
  .option("--config <file>", "settings as JSON, named as in a run's config.json (the rate is lr); flags win")
  .option("--log <kind>", "tensorboard: also write event files into the run's folder, for tensorboard --logdir")
  .option("--yes", "do not ask before long work")
  .option("--json", JSON_HELP)
  .addHelpText(
    "after",
    `
A model may bring defaults of its own in its folder's rpo.json: tiny trains all of its U-Net, 160 steps at 3e-4 with soft
labels. A run's config.json holds what it was trained with.

Examples:
  rpo train --model sd15 --images ./my-dog --class dog
  rpo train --model owner/name@main --variant fp16 --images ./my-dog --class dog
  rpo train --model ./sd15 --reward ./align-base --images ./teapot --class teapot --lambda 0.3 --memory low
  rpo train --resume --output runs/dog-1`,
  )
  .action(async (options, command) => {
    const { config, resume = false, yes = false, json: asJson = false, log, ...settings } = options;
    const { trainCommand } = await import("./train.ts");
    const given = givenOnly(settings, command);
    process.exitCode = await trainCommand({ settings: given, config, resume, yes, json: asJson, log });
  });

program
  .command("generate")
  .description("draw pictures with a model, and with what was trained")
  .option(
    "--model <model>",
    `a diffusers folder, one .safetensors file, ${HUB_HELP}, sd15, sd21, sdxl, or tiny (default: the run's, or tiny)`,
  )
  .option("--variant <name>", VARIANT_HELP)
  .option("--adapter <path>", "a run's folder, a LoRA's file or folder, or a fine-tuned U-Net's folder")
  .option(
    "--lora <file:weight>",
    "a LoRA of kohya's, PEFT's or diffusers' kind, and how much of it (:weight may be left out: 1); may be given several times",
    (value: string, before: string[]) => [...before, value],
    [] as string[],
  )
  .option(
    "--prompt <text>",
    "may be given several times",
    (value: string, before: string[]) => [...before, value],
    [] as string[],
  )
  .option("-n, --number <n>", "pictures for each prompt (default 4)")
  .option("--sampler <name>", "ddim, pndm, dpm, euler, or checkpoint for the folder's own (default dpm)")
  .option("--steps <n>", "default 20")
  .option("--guidance <x>", "1 or less is none (default: the run's, else the model's: 7.5, tiny 4)")
  .option("--negative <text>", "what to steer away from")
  .option("--seed <n>", "of the first picture; the next ones count up (default 0)")
  .option("--height <pixels>", "default: the model's")
  .option("--width <pixels>", "default: the model's")
  .option("--output <folder>", "where the pictures go")
  .option("--threads <n>", "default: one a core")
  .option("--device <name>", DEVICE_HELP)
  .option("--json", JSON_HELP)
  .addHelpText(
    "after",
    `
Examples:
  rpo generate --adapter runs/dog-1 --prompt "a [V] dog on the beach" --output pictures
  rpo generate --model sd15 --prompt "a red teapot" -n 1 --seed 7 --output pictures
  rpo generate --model v1-5.safetensors --lora style.safetensors:0.6 --lora detail.safetensors --prompt "a teapot" --output pictures
  rpo generate --adapter runs/dog-1 --lora style.safetensors:0.5 --prompt "a [V] dog" --output pictures`,
  )
  .action(async (options, command) => {
    const { json: asJson = false, prompt, ...settings } = options;
    if (prompt.length === 0) throw new UsageError("--prompt is missing");
    const { generateCommand } = await import("./generate.ts");
    process.exitCode = await generateCommand({ ...givenOnly(settings, command), prompt }, { json: asJson });
  });

program
  .command("select")
  .description("choose another checkpoint of a run for another lambda, without training")
  .argument("<run>", "the run's folder")
  .option("--lambda <x>", "0 to 1: how much likeness counts against the prompt (default: the run's own)")
  .option("--json", JSON_HELP)
  .addHelpText("after", "\nExample:\n  rpo select runs/dog-1 --lambda 0.3")
  .action(async (run, options, command) => {
    const { json: asJson = false, ...settings } = options;
    const { selectCommand } = await import("./select.ts");
    process.exitCode = await selectCommand(run, givenOnly(settings, command), { json: asJson });
  });

program
  .command("export")
  .description("write what was trained in the format of another program")
  .argument("<run>", "a run's folder, whose chosen checkpoint is exported; or one of its checkpoints")
  .option(
    "--format <name>",
    "peft: a LoRA's folder for diffusers and PEFT; kohya: a LoRA's file for ComfyUI, A1111 and Forge; diffusers: a whole pipeline's folder",
  )
  .option("--output <path>", "default: in the run's folder, exports/...")
  .option("--dtype <type>", "f32, or f16 for half the size (default f32)")
  .option("--model <path>", "what was trained on, where it is not where the run says")
  .option("--threads <n>", "default: one a core")
  .option("--json", JSON_HELP)
  .addHelpText(
    "after",
    `
Examples:
  rpo export runs/dog-1 --format kohya --dtype f16 --output dog.safetensors
  rpo export runs/dog-1 --format diffusers --dtype f16 --output dog-model
  rpo export runs/dog-1/checkpoints/000080 --format peft
Another checkpoint for another lambda: rpo select runs/dog-1 --lambda 0.3, then export.`,
  )
  .action(async (run, options, command) => {
    const { json: asJson = false, ...settings } = options;
    const { exportCommand } = await import("./export.ts");
    process.exitCode = await exportCommand(run, givenOnly(settings, command), { json: asJson });
  });

program
  .command("report")
  .description("one HTML page about a run: photos, curves, pictures, and a slider for lambda")
  .argument("<run>", "the run's folder; it may still be running")
  .option("--output <file>", "default: report.html in the run's folder")
  .option("--compare <run>", "another run on the same prompts and noises, whose last validation is shown beside")
  .option("--json", JSON_HELP)
  .addHelpText("after", "\nExample:\n  rpo report runs/dog-1")
  .action(async (run, options, command) => {
    const { json: asJson = false, ...settings } = options;
    const { reportCommand } = await import("./report.ts");
    process.exitCode = await reportCommand(run, givenOnly(settings, command), { json: asJson });
  });

program
  .command("demo")
  .description("see the whole method on a bundled subject, in about two minutes")
  .option("--subject <name>", "one of --list-subjects (default backpack)")
  .option("--list-subjects", "what there is")
  .option("--output <folder>", "the run's folder (default: runs/demo); one that was interrupted goes on")
  .option("--model <model>", "another model than the embedded one")
  .option("--reward <model>", "another reward")
  .option("--steps <n>", "at most so many (default: the model's)")
  .option("--seed <n>", "default 0")
  .option("--threads <n>", "default: one a core")
  .option("--config <file>", "settings of the training as JSON, as for rpo train")
  .option("--json", JSON_HELP)
  .addHelpText("after", "\nExamples:\n  rpo demo\n  rpo demo --subject dog --output runs/dog")
  .action(async (options, command) => {
    const { config, listSubjects: list = false, json: asJson = false, ...settings } = options;
    const { demoCommand } = await import("./demo.ts");
    process.exitCode = await demoCommand({ settings: givenOnly(settings, command), config, list, json: asJson });
  });

program
  .command("evaluate")
  .description("judge pictures of a subject: DINO, CLIP-I, CLIP-T, ALIGN, copy rate, diversity")
  .option("--references <folder>", "the photos of the subject")
  .option("--images <folder>", "the pictures, with the prompts.json that rpo generate writes")
  .option("--prompts <file>", "the pictures' prompts: JSON by file, or a list by the number that file names begin with")
  .option("--class <word>", "what {class} in the prompts stands for")
  .option("--token <text>", 'the identifier, which no judge sees (default "[V]")')
  .option("--hold-out <photo>", "a photo that was not trained on: the only reference then")
  .option("--masks <folder>", "masks named as their photos and pictures, white where the subject is")
  .option("--judges <folder>", "holds the judges as folders named dino, clip, align; tiny: the embedded ones")
  .option("--dino <model>", `a ViT: a transformers folder, or ${HUB_HELP} such as facebook/dino-vits16`)
  .option("--clip <model>", "a CLIP model, likewise, such as openai/clip-vit-base-patch16")
  .option("--align <model>", "an ALIGN model, likewise, such as kakaobrain/align-base")
  .option("--output <folder>", "also write evaluation.json and evaluation.csv there")
  .option("--threads <n>", "default: one a core")
  .option("--json", JSON_HELP)
  .addHelpText(
    "after",
    `
Examples:
  rpo evaluate --references my-dog --images pictures --dino facebook/dino-vits16 --clip openai/clip-vit-base-patch16
  rpo evaluate --references my-dog --images pictures --dino ./dino-vits16`,
  )
  .action(async (options, command) => {
    const { json: asJson = false, ...settings } = options;
    const { evaluateCommand } = await import("./evaluate.ts");
    process.exitCode = await evaluateCommand(givenOnly(settings, command), { json: asJson });
  });

addBenchCommands(program);

program
  .command("doctor")
  .description(
    "look whether this machine is fit: Node, processor, memory, disks, engine, and how long a run would take",
  )
  .option("--threads <n>", "of the measurement, which takes two seconds (default: one a core)")
  .option("--json", JSON_HELP)
  .addHelpText("after", "\nExample:\n  rpo doctor\n\nExits 1 when something will not work.")
  .action(async (options, command) => {
    const { json: asJson = false, ...settings } = options;
    const { doctorCommand } = await import("./doctor.ts");
    process.exitCode = await doctorCommand(givenOnly(settings, command), { json: asJson });
  });

/** "rpo bench tinybench" */
function pathOf(command: CommandUnknownOpts): string {
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
