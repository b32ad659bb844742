import torch.nn.functional as F


def gelu_tanh(x):
    return F.gelu(x, approximate="tanh")
