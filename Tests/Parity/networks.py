"""The package's three networks in PyTorch, for parity and for benchmarks.

Without dropout unless asked for: random numbers are the one thing in which the two differ.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBlock(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel_size=3, stride=1, padding=1)

    def forward(self, x):
        return F.relu(self.conv(x))


class CNN(nn.Module):
    def __init__(self, classes, conv_dim=64, fc_dim=128, dropout=0):
        super().__init__()
        self.conv1, self.conv2 = ConvBlock(1, conv_dim), ConvBlock(conv_dim, conv_dim)
        self.fc1, self.fc2 = nn.Linear(14 * 14 * conv_dim, fc_dim), nn.Linear(fc_dim, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.dropout(F.max_pool2d(self.conv2(self.conv1(x)), 2))
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class MLP(nn.Module):
    def __init__(self, classes, fc1=1024, fc2=128, dropout=0):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, fc1), nn.Linear(fc1, fc2), nn.Linear(fc2, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.dropout(F.relu(self.fc1(torch.flatten(x, 1))))
        return self.fc3(self.dropout(F.relu(self.fc2(x))))


class ConvNorm(nn.Module):
    def __init__(self, channels_in, channels_out, kernel=3, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x):
        return self.norm(self.conv(x))


class ResidualBlock(nn.Module):
    def __init__(self, channels_in, channels_out, stride):
        super().__init__()
        self.conv1 = ConvNorm(channels_in, channels_out, 3, stride)
        self.conv2 = ConvNorm(channels_out, channels_out)
        changes = stride > 1 or channels_in != channels_out
        self.shortcut = ConvNorm(channels_in, channels_out, 1, stride) if changes else nn.Identity()

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, classes, channels=16):
        super().__init__()
        self.stem = ConvNorm(1, channels)
        self.blocks = nn.Sequential(
            ResidualBlock(channels, channels, 1),
            ResidualBlock(channels, 2 * channels, 2),
            ResidualBlock(2 * channels, 4 * channels, 2),
        )
        self.fc = nn.Linear(4 * channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.stem(x))).mean((2, 3)))
