/// PyTorch's `group_norm` over the whole picture, and an activation after it.
public struct GroupNorm: Sendable {
  /// How many groups of consecutive channels share their mean and variance.
  public let groups: Int

  /// What is added to the variance.
  public let epsilon: Float

  /// One factor per channel.
  public let scale: [Float]

  /// One term per channel.
  public let shift: [Float]

  /// The function applied to the result: none or SiLU.
  public let activation: Activation

  /// Creates a normalization of as many channels as there are factors.
  public init(
    groups: Int,
    epsilon: Float,
    scale: [Float],
    shift: [Float],
    activation: Activation = .none,
  ) {
    precondition(scale.count == shift.count && scale.count % groups == 0, "groups of one size")
    precondition(activation == .none || activation == .silu, "only SiLU is fused")
    self.groups = groups
    self.epsilon = epsilon
    self.scale = scale
    self.shift = shift
    self.activation = activation
  }
}
