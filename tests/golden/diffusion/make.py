"""Write samplers.json: what diffusers' schedulers answer, for src/diffusion/golden.test.ts. Needs torch and diffusers.

    python make.py > samplers.json

"first" [2, 1, 2, 2] is the starting noise and "outputs" [24, 2, 1, 2, 2] the model's answers, call by call, shared by all cases.
A case has the text of a scheduler_config.json, whether StableDiffusionPipeline loaded it, the sampler's name and steps, and the
answers: timesteps, initialNoiseScale, inputs (scale_model_input's answers) and latents of every call.
A schedule has a config, timesteps, and DDPMScheduler's noisy samples and velocities of clean = first and noise = outputs[0].
"""
import json, tempfile, warnings
import diffusers, torch
from diffusers import (DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler,
                       StableDiffusionPipeline)

warnings.filterwarnings("ignore")
diffusers.logging.set_verbosity_error()
CLASSES = dict(ddim=DDIMScheduler, pndm=PNDMScheduler, dpm=DPMSolverMultistepScheduler, euler=EulerDiscreteScheduler)
BETAS = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
# As published with Stable Diffusion 1.5, 2.1 and XL.
SD15 = dict(_class_name="PNDMScheduler", _diffusers_version="0.6.0", **BETAS, num_train_timesteps=1000, set_alpha_to_one=False,
            skip_prk_steps=True, steps_offset=1, trained_betas=None, clip_sample=False)
SD21 = dict(_class_name="DDIMScheduler", _diffusers_version="0.8.0", **BETAS, clip_sample=False, num_train_timesteps=1000,
            prediction_type="v_prediction", set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, trained_betas=None)
SDXL = dict(_class_name="EulerDiscreteScheduler", _diffusers_version="0.19.0.dev0", **BETAS, clip_sample=False,
            interpolation_type="linear", num_train_timesteps=1000, prediction_type="epsilon", sample_max_value=1.0,
            set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, timestep_spacing="leading", trained_betas=None,
            use_karras_sigmas=False)
DDIM, PNDM, DPM, EULER = (dict(_class_name=c.__name__, **BETAS) for c in CLASSES.values())

CASES = [(config, name, 5, False) for config in (SD15, SD21, SDXL) for name in ("ddim", "pndm", "dpm", "euler", "checkpoint")]
# as src/checkpoints/prediction.ts makes them of a file that says v_pred and ztsnr
CASES += [(dict(base, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"), name, 5, False)
          for base in (SD15, SDXL) for name in ("ddim", "dpm", "euler")]
CASES += [(dict(base, timestep_spacing=spacing), "checkpoint", steps, False) for base in (DDIM, dict(PNDM, skip_prk_steps=True), DPM, EULER)
          for spacing, steps in (("trailing", 3), ("linspace", 6), ("leading", 1), ("leading", 2))]
CASES += [(dict(base, **options), "checkpoint", steps, False) for base, steps, options in (
    (DDIM, 4, dict(prediction_type="sample", clip_sample_range=0.5, set_alpha_to_one=False)),
    (DDIM, 4, dict(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing", clip_sample=None)),
    (DDIM, 4, dict(thresholding=True, dynamic_thresholding_ratio=0.8, sample_max_value=1.5)),
    (DDIM, 3, dict(trained_betas=[0.001 * (1 + i / 50) for i in range(40)], num_train_timesteps=40)),
    (DDIM, 3, dict(_use_default_values=["beta_start", "timestep_spacing"], timestep_spacing="trailing")),
    (PNDM, 4, {}),
    (PNDM, 6, dict(prediction_type="v_prediction", set_alpha_to_one=True, timestep_spacing="linspace")),
    (DPM, 4, dict(prediction_type="sample", solver_type="heun")),
    (DPM, 5, dict(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing")),
    (DPM, 5, dict(use_karras_sigmas=True)),
    (DPM, 5, dict(use_exponential_sigmas=True, beta_schedule="linear")),
    (DPM, 5, dict(use_lu_lambdas=True)),
    (DPM, 5, dict(use_karras_sigmas=True, sigma_min=0.1, sigma_max=9.0)),
    (DPM, 4, dict(final_sigmas_type="sigma_min", lower_order_final=False)),
    (DPM, 4, dict(final_sigmas_type="sigma_min", euler_at_final=True, solver_type="heun")),
    (DPM, 6, dict(solver_order=3)),
    (DPM, 6, dict(solver_order=3, final_sigmas_type="sigma_min", lower_order_final=False)),
    (DPM, 4, dict(solver_order=1, solver_type="bh2")),
    (DPM, 4, dict(lambda_min_clipped=-4.0, thresholding=True)),
    (DPM, 16, dict(final_sigmas_type="sigma_min")),
    (EULER, 4, dict(prediction_type="sample", beta_schedule="linear")),
    (EULER, 4, dict(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing")),
    (EULER, 5, dict(use_karras_sigmas=True)),
    (EULER, 5, dict(use_exponential_sigmas=True, sigma_min=0.1)),
    (EULER, 4, dict(interpolation_type="log_linear", final_sigmas_type="sigma_min")),
    (EULER, 4, dict(prediction_type="v_prediction", timestep_type="continuous")),
)]
CASES += [(dict(DDIM, beta_schedule="squaredcos_cap_v2", clip_sample=False, timestep_spacing="leading"), name, 4, False)
          for name in ("ddim", "pndm", "dpm", "euler")]
CASES += [(dict(DDIM, **options), name, 3, True) for options in ({}, dict(steps_offset=0, clip_sample=True)) for name in ("checkpoint", "ddim", "dpm")]
SCHEDULES = [SD15, SD21, dict(SDXL, prediction_type="v_prediction", rescale_betas_zero_snr=True), dict(beta_schedule="linear"), dict(beta_schedule="squaredcos_cap_v2"), dict(rescale_betas_zero_snr=True, **BETAS)]


def rounded(tensor):
    return [float(f"{value:.8g}") for value in torch.as_tensor(tensor).flatten().tolist()]


def loaded(text, by_pipeline):
    with tempfile.TemporaryDirectory() as folder:
        open(f"{folder}/scheduler_config.json", "w").write(text)
        scheduler = getattr(diffusers, json.loads(text)["_class_name"]).from_pretrained(folder)
    parts = dict.fromkeys(("vae", "text_encoder", "tokenizer", "unet", "safety_checker", "feature_extractor"))
    return StableDiffusionPipeline(**parts, scheduler=scheduler, requires_safety_checker=False).scheduler if by_pipeline else scheduler


def case(config, name, steps, by_pipeline):
    text = json.dumps(config)
    scheduler = loaded(text, by_pipeline)
    if name != "checkpoint":
        scheduler = CLASSES[name].from_config(scheduler.config, **(dict(skip_prk_steps=True) if name == "pndm" else {}))
    scheduler.set_timesteps(steps)
    x = FIRST * scheduler.init_noise_sigma
    inputs, latents = [], []
    for output, timestep in zip(OUTPUTS, scheduler.timesteps):
        inputs.append(rounded(scheduler.scale_model_input(x, timestep)))
        x = scheduler.step(output, timestep, x).prev_sample
        latents.append(rounded(x))
    return dict(config=text, pipeline=by_pipeline, sampler=name, steps=steps, timesteps=rounded(scheduler.timesteps),
                initialNoiseScale=float(scheduler.init_noise_sigma), inputs=inputs if name == "euler" or type(scheduler) is EulerDiscreteScheduler else None,
                latents=latents)


def schedule(config):
    ddpm = DDPMScheduler.from_config(config)
    timesteps = torch.tensor([417, 999])
    return dict(config=json.dumps(config), timesteps=timesteps.tolist(), noisy=rounded(ddpm.add_noise(FIRST, OUTPUTS[0], timesteps)),
                velocity=rounded(ddpm.get_velocity(FIRST, OUTPUTS[0], timesteps)))


generator = torch.Generator().manual_seed(0)
FIRST = torch.randn(2, 1, 2, 2, generator=generator)
OUTPUTS = torch.randn(24, 2, 1, 2, 2, generator=generator)
print(json.dumps(dict(diffusers=diffusers.__version__, torch=torch.__version__, first=rounded(FIRST), outputs=[rounded(o) for o in OUTPUTS],
                      schedules=[schedule(s) for s in SCHEDULES], cases=[case(*c) for c in CASES])))
