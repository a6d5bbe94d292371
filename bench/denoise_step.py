"""Time a step of plain denoising on a whole U-Net, a batch of 32, in PyTorch; and, given a command, this project's program in turn with it.

    python bench/denoise_step.py CHECKPOINT [--repeat 5] [--rounds 3] [-- npm run --silent bench -- denoise-step CHECKPOINT --repeat 5]

CHECKPOINT is a diffusers folder. Without a command one JSON line as `npm run bench` prints it; with one, the medians and their ratio
(ours / PyTorch) as the last line. Needs torch and diffusers.
"""
import argparse, json, resource, statistics, subprocess, sys, time

BATCH = 32


def peer(checkpoint, repeat):
    import torch
    import torch.nn.functional as F
    from diffusers import DDPMScheduler, StableDiffusionPipeline
    torch.set_num_threads(2)
    torch.manual_seed(0)
    pipe = StableDiffusionPipeline.from_pretrained(checkpoint, safety_checker=None, torch_dtype=torch.float32)
    unet = pipe.unet.to(memory_format=torch.channels_last).train()
    schedule = DDPMScheduler.from_config(pipe.scheduler.config)
    optimizer = torch.optim.AdamW(unet.parameters(), 1e-4)
    size, channels = unet.config.sample_size, unet.config.in_channels
    length, features = pipe.tokenizer.model_max_length, unet.config.cross_attention_dim

    def step():
        x, noise = torch.randn(BATCH, channels, size, size), torch.randn(BATCH, channels, size, size)
        t = torch.randint(0, schedule.config.num_train_timesteps, (BATCH,))
        text = torch.randn(BATCH, length, features)
        target = noise if schedule.config.prediction_type == "epsilon" else schedule.get_velocity(x, noise, t)
        F.mse_loss(unet(schedule.add_noise(x, noise, t), t, text).sample, target).backward()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    step()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        step()
        seconds.append(round(time.perf_counter() - start, 4))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps(dict(work="denoise-step", seconds=seconds, rss_gb=round(rss, 2))))


def compare(checkpoint, repeat, rounds, ours):
    mine = [sys.executable, __file__, checkpoint, "--repeat", str(repeat)]
    times = {"peer": [], "ours": []}
    for turn in range(rounds):
        for who, command in (("peer", mine), ("ours", ours)):
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
            times[who] += json.loads(out)["seconds"]
            print(turn, who, json.loads(out)["seconds"], flush=True)
    p, o = statistics.median(times["peer"]), statistics.median(times["ours"])
    print(json.dumps(dict(work="denoise-step", peer_s=round(p, 4), ours_s=round(o, 4), ratio=round(o / p, 3))))


if __name__ == "__main__":
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args(sys.argv[1:cut])
    command = sys.argv[cut + 1:]
    compare(a.checkpoint, a.repeat, a.rounds, command) if command else peer(a.checkpoint, a.repeat)
