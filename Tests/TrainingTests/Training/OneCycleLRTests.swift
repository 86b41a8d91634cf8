import Lab
import TestSupport
import Testing

struct OneCycleLRTests {
  /// ```python
  /// p = torch.zeros(3)
  /// optimizer = torch.optim.SGD([p], lr=1, momentum=0.9)
  /// schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=10)
  /// for k in range(10):
  ///     optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]
  ///     p.grad = pattern(3, step=3 + k)
  ///     optimizer.step()
  ///     schedule.step()
  /// ```
  @Test func sgdFollowsPyTorch() throws {
    let optimizer = SGD([Parameter(Tensor([0, 0, 0]))], momentum: 0.9)
    try follow(
      optimizer, steps: 10,
      rates: [
        0.012, 0.156, 0.3, 0.285145389604, 0.243523696185, 0.183378606581, 0.116622593419,
        0.0564775038151, 0.014855810396, 1.2e-06,
      ],
      momenta: [
        0.95, 0.9, 0.85, 0.854951556605, 0.868825509907, 0.888873953302, 0.911126046698,
        0.931174490093, 0.945048443395, 0.95,
      ])
    try expectClose(optimizer.parameters[0].value, [5.93087196, -0.299019575, -1.24056935])
  }

  /// The same with Adam's β₁, where the turn is between two steps.
  ///
  /// ```python
  /// optimizer = torch.optim.Adam([p], lr=1)
  /// schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=25)
  /// ```
  @Test func adamFollowsPyTorch() throws {
    let optimizer = Adam([Parameter(Tensor([0, 0, 0]))])
    try follow(
      optimizer, steps: 25,
      rates: [
        0.012, 0.0284943323059, 0.0741986764707, 0.138642718043, 0.207063103734, 0.263785547737,
        0.295815621709, 0.299396146515, 0.294594450727, 0.285145389604, 0.271352663746,
        0.25365958271, 0.23263481668, 0.208954118933, 0.183378606581, 0.156730297634,
        0.129865690667, 0.103648236254, 0.0789205849502, 0.0564775038151, 0.0370403319423,
        0.021233796029, 0.00956593114496, 0.00241175206796, 1.2e-06,
      ],
      momenta: [
        0.95, 0.944272801283, 0.928403237337, 0.906026834013, 0.882269755648, 0.862574462591,
        0.851452909129, 0.8502012853, 0.851801856965, 0.854951556605, 0.859549150281,
        0.865446867551, 0.872455150927, 0.880348748417, 0.888873953302, 0.897756758482,
        0.906711663291, 0.915450849719, 0.923693433124, 0.931174490093, 0.9376535733,
        0.94292243968, 0.946811743532, 0.94919647943, 0.95,
      ])
    try expectClose(
      optimizer.parameters[0].value, [3.28101063, -0.480324149, -0.126856357], tolerance: 1e-5)
  }

  /// The first steps of cycles so short that the largest rate is before them.
  @Test(arguments: [
    ([1.2e-06], [0.95]),
    ([0.243523696185, 1.2e-06], [0.868825509907, 0.95]),
    ([0.298324630635, 0.1387911308, 1.2e-06], [0.850558458689, 0.903736504679, 0.95]),
  ])
  func shortCyclesFollowPyTorch(rates: [Double], momenta: [Double]) {
    let schedule = OneCycleLR(maxLearningRate: 0.3, totalSteps: rates.count)
    for step in rates.indices {
      #expect(abs(schedule.learningRate(at: step) - rates[step]) < 1e-11)
      #expect(abs(schedule.momentum(at: step) - momenta[step]) < 1e-11)
    }
  }

  private func follow(
    _ optimizer: some Optimizer, steps: Int, rates: [Double], momenta: [Double]
  ) throws {
    let schedule = OneCycleLR(maxLearningRate: 0.3, totalSteps: steps)
    for step in 0..<steps {
      schedule.prepare(optimizer, for: step)
      #expect(abs(optimizer.learningRate - rates[step]) < 1e-11, "step \(step)")
      #expect(abs(optimizer.momentum - momenta[step]) < 1e-11, "step \(step)")
      optimizer.clearGradients()
      let tape = Tape()
      let value = optimizer.parameters[0].on(tape)
      try tape.backward(weightedSum(value, pattern([3], step: 3 + step)))
      optimizer.step()
    }
  }
}
