internal import EngineC

/// The product of two matrices in row-major order: `out = scale · a · b`, or with b transposed.
public struct MatrixProduct: Hashable, Sendable {
  /// Rows of `a` and of the result.
  public var rows: Int

  /// Columns of the result.
  public var columns: Int

  /// Columns of `a`.
  public var depth: Int

  /// The factor.
  public var scale: Float = 1

  /// Whether `b` has a row per column of the result.
  public var transposesB = false

  /// Whether the product is added to what `out` holds.
  public var accumulates = false

  // Matrices are dense: a row begins where the last one ends.
  var native: enginec_gemm_shape {
    enginec_gemm_shape(
      m: rows,
      n: columns,
      k: depth,
      stride_a: depth,
      stride_b: transposesB ? depth : columns,
      stride_out: columns,
      transpose_b: transposesB ? 1 : 0,
      accumulate: accumulates ? 1 : 0,
      scale: scale,
    )
  }
}
