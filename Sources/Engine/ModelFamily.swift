/// What a name stands for: one model, or bundled models that do the same and differ in their scale.
///
/// A smaller scale makes a smaller picture for about the same work, so what a run needs no more of is
/// better done by it.
public struct ModelFamily: Sendable {
  /// The models, the smallest scale first.
  public let models: [Model]

  /// Loads the models of a bundled family, or one model by its bundled name or its path.
  ///
  /// - Parameters:
  ///   - name: The name or path, as for ``Model/init(named:autoencoder:)``; that of a family stands for all of it.
  ///   - autoencoder: The path of the autoencoder for TAD-SR.
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(named name: String, autoencoder: String? = nil) throws(EngineError) {
    let names = BundledModel.all.filter { $0.family == name }.map(\.name)
    let models = try (names.isEmpty ? [name] : names).map { (name) throws(EngineError) in
      try Model(named: name, autoencoder: autoencoder)
    }
    self.init(models)
  }

  /// A family of models of different scales; at least one.
  public init(_ models: [Model]) {
    precondition(!models.isEmpty, "a family has a model")
    self.models = models.sorted { $0.scale < $1.scale }
  }

  /// How many times larger the output is where no size is asked for.
  public var scale: Int { largest.scale }

  /// Chooses a model for pictures by the size that they should get, both in pixels.
  ///
  /// - Returns: The model that reaches the size with the smallest scale; that with the largest where none does.
  public func model(
    enlarging source: (width: Int, height: Int),
    to target: (width: Int, height: Int),
  ) -> Model {
    let reaches = models.first {
      $0.scale * source.width >= target.width && $0.scale * source.height >= target.height
    }
    return reaches ?? largest
  }

  private var largest: Model { models[models.count - 1] }
}
