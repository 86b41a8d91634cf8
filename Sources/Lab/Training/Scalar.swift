/// What is logged, by the course's names.
public enum Scalar: String, CaseIterable, Sendable {
  case learningRate = "lr"
  case stepLoss = "train_loss_step"
  case trainLoss = "train_loss"
  case trainAccuracy = "train_acc"
  case valLoss = "val_loss"
  case valAccuracy = "val_acc"
  case testLoss = "test_loss"
  case testAccuracy = "test_acc"
}
