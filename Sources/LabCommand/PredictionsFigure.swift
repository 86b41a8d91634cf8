import Lab
import Plot

/// Draws the first nine validation images with their true and predicted labels, and logs the figure.
///
/// - Parameters:
///   - model: The model.
///   - data: The data.
///   - run: The run to log to.
///   - step: The number of training steps so far.
func drawPredictions(
  of model: some Model, _ data: some DataModule, in run: TrainingRun, step: Int
) throws {
  let positions = Array(0..<min(9, data.val.count))
  guard !positions.isEmpty else { return }
  let batch = data.val.batch(at: positions)
  let predicted = argmax(try model(batch.x)).elements
  var figure = Figure(
    rows: 3, columns: 3, images: (width: batch.x.shape[3], height: batch.x.shape[2]), scale: 4,
    supertitle: data.isSynthetic ? "SYNTHETIC data" : "")
  for index in positions {
    let label = batch.y.elements[index]
    figure[index].imshow(Image(batch.x[index]))
    figure[index].title = "\(data.mapping[label]): \(data.mapping[predicted[index]])"
    figure[index].titleColor = predicted[index] == label ? .green : .red
  }
  try run.log(
    png: figure.png(), width: figure.pixels.width, height: figure.pixels.height,
    name: "predictions", step: step)
}
