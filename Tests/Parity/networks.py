"""The package's networks in PyTorch, for parity and for benchmarks.

Without dropout unless asked for: random numbers are the one thing in which the two differ.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBlock(nn.Module):
    def __init__(self, channels_in, channels_out, kernel=3, stride=1, padding=1):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, padding)

    def forward(self, x):
        return F.relu(self.conv(x))


class CNN(nn.Module):
    def __init__(self, classes, conv_dim=64, fc_dim=128, dropout=0, width=28):
        super().__init__()
        self.conv1, self.conv2 = ConvBlock(1, conv_dim), ConvBlock(conv_dim, conv_dim)
        self.fc1 = nn.Linear(14 * (width // 2) * conv_dim, fc_dim)
        self.fc2 = nn.Linear(fc_dim, classes)
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


class LineCNNSimple(nn.Module):
    """The CNN on each window of a line."""

    def __init__(self, classes, width=28, stride=28, limit=None, dropout=0):
        super().__init__()
        self.cnn = CNN(classes, dropout=dropout, width=width)
        self.width, self.stride, self.limit = width, stride, limit

    def forward(self, x):
        starts = range(0, x.shape[3] - self.width + 1, self.stride)
        y = [self.cnn(x[..., start : start + self.width]) for start in starts]
        return torch.stack(y, 2)[..., : self.limit]


class LineCNN(nn.Module):
    """Lines 28 pixels high; widths are divided by 8 as in the course."""

    def __init__(self, classes, conv_dim=32, fc_dim=512, width=16, stride=8, dropout=0):
        super().__init__()
        c = conv_dim
        self.convs = nn.Sequential(
            ConvBlock(1, c),
            ConvBlock(c, c),
            ConvBlock(c, c, stride=2),
            ConvBlock(c, c),
            ConvBlock(c, 2 * c, stride=2),
            ConvBlock(2 * c, 2 * c),
            ConvBlock(2 * c, 4 * c, stride=2),
            ConvBlock(4 * c, 4 * c),
            ConvBlock(4 * c, fc_dim, (28 // 8, width // 8), (28 // 8, stride // 8), padding=0),
        )
        self.fc1, self.fc2 = nn.Linear(fc_dim, fc_dim), nn.Linear(fc_dim, classes)
        self.dropout = nn.Dropout(dropout)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                _, fan_out = nn.init._calculate_fan_in_and_fan_out(module.weight)
                nn.init.normal_(module.bias, -1 / math.sqrt(fan_out), 1 / math.sqrt(fan_out))

    def forward(self, x):
        x = self.convs(x).squeeze(2).permute(0, 2, 1)
        return self.fc2(self.dropout(F.relu(self.fc1(x)))).permute(0, 2, 1)


class LineCNNLSTM(nn.Module):
    """LineCNN's logits read by an LSTM in both directions, whose results are added."""

    def __init__(self, classes, lstm_dim=512, lstm_layers=1, lstm_dropout=0, **options):
        super().__init__()
        self.line_cnn = LineCNN(classes, **options)
        self.lstm = nn.LSTM(
            classes, lstm_dim, lstm_layers, bidirectional=True, dropout=lstm_dropout)
        self.fc = nn.Linear(lstm_dim, classes)

    def forward(self, x):
        y, _ = self.lstm(self.line_cnn(x).permute(2, 0, 1))
        forward, backward = y.chunk(2, dim=2)
        return self.fc(forward + backward).permute(1, 2, 0)
