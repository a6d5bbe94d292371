"""What torch.amp.GradScaler makes of gradients that overflow now and then: python scaler.py. First its factor alone, over thousands of steps; then the
weights of two groups under AdamW, each clipped by its own norm, with the factor doubling and halving on the way."""
import json, os
import torch

here = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(0)


def factors(start, steps, overflows):
    """The factor and its good steps in a row: [step, factor, goodSteps] where the factor changes, and at the end."""
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer, scaler = torch.optim.SGD([weight], lr=0.0), torch.amp.GradScaler("cpu", init_scale=start)
    changes, before = [], start
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        scaler.scale(weight.sum()).backward()
        weight.grad.fill_(float("inf") if step in overflows else 0.0)
        scaler.step(optimizer)
        scaler.update()
        factor = scaler.get_scale()
        if factor != before or step == steps:
            changes.append([step, factor, scaler.state_dict()["_growth_tracker"]])
        before = factor
    return {"start": start, "steps": steps, "overflows": overflows, "changes": changes}


def weights():
    start = {name: torch.randn(30) for name in "ab"}
    gradients = [{name: torch.randn(30) for name in "ab"} for _ in range(8)]
    overflows = {2: ("a", float("inf")), 5: ("b", float("nan")), 6: ("b", float("-inf"))}
    clip = {"a": 0.5, "b": 100.0}
    trained = {name: torch.nn.Parameter(tensor.clone()) for name, tensor in start.items()}
    optimizer = torch.optim.AdamW(trained.values(), lr=0.01, weight_decay=0.01)
    scaler = torch.amp.GradScaler("cpu")
    scaler.load_state_dict(scaler.state_dict() | {"scale": 65536.0, "_growth_tracker": 1999})
    after = []
    for step, gradient in enumerate(gradients):
        optimizer.zero_grad()
        scaler.scale(sum((trained[name] * gradient[name]).sum() for name in "ab")).backward()
        if step in overflows:
            name, number = overflows[step]
            trained[name].grad[7] = number
        scaler.unscale_(optimizer)
        for name in "ab":
            torch.nn.utils.clip_grad_norm_([trained[name]], clip[name])
        scaler.step(optimizer)
        scaler.update()
        state = {"factor": scaler.get_scale(), "goodSteps": scaler.state_dict()["_growth_tracker"]}
        after.append(state | {name: trained[name].detach().tolist() for name in "ab"})
    numbers = lambda tensors: {name: tensor.tolist() for name, tensor in tensors.items()}
    return {
        "start": numbers(start),
        "gradients": [numbers(gradient) for gradient in gradients],
        "overflows": {step: [name, str(number)] for step, (name, number) in overflows.items()},
        "clip": clip,
        "after": after,
    }


cases = [factors(65536.0, 8100, [1, 2, 6, 2005, 4006, 4007, 8007]), factors(2.0**126, 4010, [4003])]
with open(f"{here}/scaler.json", "w") as file:
    json.dump({"factors": cases, "weights": weights()}, file)
