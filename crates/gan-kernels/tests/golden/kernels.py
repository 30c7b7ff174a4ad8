"""Writes the values that the tests of gan-kernels are checked against, from PyTorch in float64.

    python kernels.py            # beside this file: convolution, layers, network, adam (.safetensors)
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = Path(__file__).parent
torch.set_default_dtype(torch.float64)

# name: (batch, large channels, (height, width), small channels, kernel, stride, padding)
CONVOLUTIONS = {
    "4x4_s2_p1": (2, 3, (8, 8), 5, (4, 4), (2, 2), (1, 1)),
    "4x4_s1_p0": (3, 6, (4, 4), 2, (4, 4), (1, 1), (0, 0)),
    "3x3_s1_p1": (2, 4, (6, 5), 3, (3, 3), (1, 1), (1, 1)),
    "5x5_s2_p2": (2, 1, (9, 8), 3, (5, 5), (2, 2), (2, 2)),
    "3x3_s2_p1": (2, 3, (8, 8), 4, (3, 3), (2, 2), (1, 1)),
    "3x5_s2x1_p0x2": (1, 2, (10, 6), 3, (3, 5), (2, 1), (0, 2)),
    "1x1": (2, 5, (3, 4), 3, (1, 1), (1, 1), (0, 0)),
    # Channels in whole blocks of 16: kernels of 2·stride and 3·stride go by minimal filtering.
    "wide_4x4_s2_p1": (2, 16, (8, 8), 32, (4, 4), (2, 2), (1, 1)),
    "wide_4x4_s2_p1_output_padding": (1, 16, (7, 10), 16, (4, 4), (2, 2), (1, 1)),
    "wide_2x2_s1_p0x1": (2, 16, (5, 4), 16, (2, 2), (1, 1), (0, 1)),
    "wide_3x3_s1_p1": (2, 16, (6, 9), 16, (3, 3), (1, 1), (1, 1)),
    "wide_5x5_s2_p2": (2, 16, (7, 6), 8, (5, 5), (2, 2), (2, 2)),
    "wide_3x3_s2_p1_output_padding": (2, 16, (6, 8), 16, (3, 3), (2, 2), (1, 1)),
    "wide_1x1": (2, 24, (3, 5), 16, (1, 1), (1, 1), (0, 0)),
}


def convolutions():
    """Output and gradients of a convolution and of the transposed convolution between the same sizes."""
    out = {}
    for name, (n, c_large, size, c_small, kernel, stride, padding) in CONVOLUTIONS.items():
        large = torch.randn(n, c_large, *size, requires_grad=True)
        weight = torch.randn(c_small, c_large, *kernel, requires_grad=True)
        y = F.conv2d(large, weight, stride=stride, padding=padding)
        small = torch.randn_like(y).requires_grad_()
        large_grad, weight_grad = torch.autograd.grad(y, (large, weight), small)
        exact = [(y.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + kernel[i] for i in (0, 1)]
        output_padding = [size[i] - exact[i] for i in (0, 1)]
        x = F.conv_transpose2d(small, weight, stride=stride, padding=padding, output_padding=output_padding)
        small_grad, transposed_weight_grad = torch.autograd.grad(x, (small, weight), large)
        values = {
            "large": large, "small": small, "weight": weight, "y": y, "large_grad": large_grad,
            "weight_grad": weight_grad, "x": x, "small_grad": small_grad,
            "transposed_weight_grad": transposed_weight_grad,
        }  # fmt: skip
        out |= {f"{name}.{key}": value.detach().contiguous() for key, value in values.items()}
        out[f"{name}.geometry"] = torch.tensor([*stride, *padding, *output_padding])
    return out


ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


def layers():
    """Batch normalization with each activation, binary cross-entropy, softplus."""
    out = {}
    for rank, shape in (("4d", (3, 4, 5, 2)), ("2d", (6, 4))):
        x, g = torch.randn(shape) * 2 + 1, torch.randn(shape)
        weight, bias = torch.randn(4), torch.randn(4)
        mean, var = torch.randn(4), torch.rand(4) + 0.5
        for key, value in (("x", x), ("g", g), ("weight", weight), ("bias", bias), ("mean", mean), ("var", var)):
            out[f"norm_{rank}.{key}"] = value
        for activation, f in ACTIVATIONS.items():
            for mode in ("train", "eval"):
                args = [t.clone().requires_grad_() for t in (x, weight, bias)]
                statistics = (mean.clone(), var.clone())
                y = f(F.batch_norm(args[0], *statistics, args[1], args[2], mode == "train", 0.1, 1e-5))
                grads = torch.autograd.grad(y, args, g)
                prefix = f"norm_{rank}.{activation}.{mode}"
                out[f"{prefix}.y"] = y.detach()
                for key, value in zip(("x_grad", "weight_grad", "bias_grad"), grads):
                    out[f"{prefix}.{key}"] = value
    logits = torch.cat([torch.randn(12) * 4, torch.tensor([100.0, -100.0, 0.0])]).requires_grad_()
    out["bce.logits"] = logits.detach()
    for target in (0.0, 0.9, 1.0):
        loss = F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
        out[f"bce.{target}.loss"] = loss.detach()
        out[f"bce.{target}.grad"] = torch.autograd.grad(loss, logits)[0]
    y = F.softplus(logits, threshold=1e9)
    out["softplus.y"] = y.detach()
    out["softplus.grad"] = torch.autograd.grad(y.sum(), logits)[0]
    return {key: value.contiguous() for key, value in out.items()}


def network():
    """A generator and a discriminator of two layers each, in training: all values, the loss's gradients."""
    latents = torch.randn(3, 16)
    shapes = {
        "project": (16, 16, 3, 4), "norm": (16,), "norm_bias": (16,), "image": (16, 3, 4, 4), "image_bias": (3,),
        "enter": (16, 3, 4, 4), "enter_bias": (16,), "score": (1, 16, 3, 4),
    }  # fmt: skip
    params = {name: (torch.randn(shape) * 0.3).requires_grad_() for name, shape in shapes.items()}
    hidden = F.conv_transpose2d(latents[:, :, None, None], params["project"])
    hidden = F.relu(F.batch_norm(hidden, None, None, params["norm"], params["norm_bias"], True, 0.1, 1e-5))
    images = torch.tanh(F.conv_transpose2d(hidden, params["image"], params["image_bias"], stride=2, padding=1))
    features = F.leaky_relu(F.conv2d(images, params["enter"], params["enter_bias"], stride=2, padding=1), 0.2)
    logits = F.conv2d(features, params["score"])
    loss = F.softplus(-logits).mean()
    gradients = torch.autograd.grad(loss, list(params.values()))
    out = {"latents": latents, "images": images, "logits": logits, "loss": loss} | params
    out |= {f"{name}.grad": gradient for name, gradient in zip(params, gradients)}
    return {key: value.detach().contiguous() for key, value in out.items()}


def adam():
    """Twenty steps of torch.optim.Adam with given gradients."""
    param = torch.randn(7, 3).requires_grad_()
    out = {"start": param.detach().clone(), "grads": torch.randn(20, 7, 3)}
    optimizer = torch.optim.Adam([param], lr=3e-2, betas=(0.5, 0.999), eps=1e-8, weight_decay=1e-2)
    for grad in out["grads"]:
        param.grad = grad.clone()
        optimizer.step()
    out["end"] = param.detach().clone()
    out["exp_avg"] = optimizer.state[param]["exp_avg"]
    out["exp_avg_sq"] = optimizer.state[param]["exp_avg_sq"]
    return out


if __name__ == "__main__":
    files = {"convolution": convolutions, "layers": layers, "network": network, "adam": adam}
    for name, values in files.items():
        torch.manual_seed(20240607)
        save_file(values(), HERE / f"{name}.safetensors")
