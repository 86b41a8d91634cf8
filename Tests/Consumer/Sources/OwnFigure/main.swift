import Foundation
import Plot

let losses = (1...20).map { 1 / Double($0) }
var figure = Figure()
figure[0].plot(losses, label: "train")
figure[0].xlabel = "step"
figure[0].ylabel = "loss"
let path = URL(filePath: CommandLine.arguments[1]).appending(path: "loss.png").path
try figure.save(to: path)
print("a figure of \(losses.count) points")
