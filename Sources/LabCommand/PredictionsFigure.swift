import Lab
import Plot

/// Draws the first nine validation images with their labels and what the model predicts, and logs the
/// figure.
///
/// - Parameters:
///   - setting: The model and the data.
///   - run: The run to log to.
///   - step: The number of training steps so far.
func drawPredictions(of setting: Experiment.Setting, in run: TrainingRun, step: Int) throws {
  let data = setting.data
  let positions = Array(0..<min(9, data.val.count))
  guard !positions.isEmpty else { return }
  let batch = data.val.batch(at: positions)
  let output = try setting.model(batch.x.to(setting.model.device))
  let texts: [(label: String, predicted: String)]
  if let reading = setting.reading {
    texts = try reading.predictions(output, batch, from: 0).map {
      (data.string(of: $0.labels), data.string(of: $0.predicted))
    }
  } else {
    let predicted = argmax(output).elements
    texts = positions.map { (data.mapping[batch.y.elements[$0]], data.mapping[predicted[$0]]) }
  }
  // Lines are wide: they stand one below the other.
  let grid =
    setting.reading == nil
    ? (rows: 3, columns: 3, scale: 4) : (rows: 9, columns: 1, scale: 1)
  var figure = Figure(
    rows: grid.rows, columns: grid.columns,
    images: (width: batch.x.shape[3], height: batch.x.shape[2]), scale: grid.scale,
    supertitle: data.isSynthetic ? "SYNTHETIC data" : "")
  for (index, text) in texts.enumerated() {
    figure[index].imshow(Image(batch.x[index]))
    figure[index].title = "\(text.label): \(text.predicted)"
    figure[index].titleColor = text.label == text.predicted ? .green : .red
  }
  try run.log(
    png: figure.png(), width: figure.pixels.width, height: figure.pixels.height,
    name: "predictions", step: step)
}

extension Image {
  /// An image of a tensor of shape channels × height × width, with one channel or three.
  init(_ x: Tensor) {
    let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
    let (elements, pixels) = (x.elements, height * width)
    // In a tensor the channels of a pixel are not adjacent.
    let values = (0..<pixels).flatMap { pixel in
      (0..<channels).map { elements[$0 * pixels + pixel] }
    }
    self.init(width: width, height: height, channels: channels, values: values)
  }
}
