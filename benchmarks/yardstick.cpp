// What the generated ensembles are measured against: the two loops as one writes them by hand for speed alone.
//
// Built by ensembles.py with -O3 -march=native -ffast-math. Members are taken in blocks whose coordinates lie side by
// side, all steps of a block before the next. Neither loop looks for overflow, keeps rows, or can be interrupted.

#include <cstdint>

// Declared here, not by <cmath>, so that gcc may call the vector forms in libmvec.
extern "C" {
#pragma omp declare simd notinbranch
double exp(double) noexcept;
}

namespace {

// Simultaneous gradient descent-ascent on f = a b. A block of 24 members stays in registers.
constexpr int kBilinear = 24;
// Extragradient on the minimax Dirac-GAN, f = -log(1 + exp(-a b)): v = (b, -a) sigmoid(-a b). Its exp is a call.
constexpr int kDirac = 64;

}  // namespace

extern "C" void gda_bilinear(double *w, int64_t members, int64_t steps, double lr) {
  for (int64_t first = 0; first < members; first += kBilinear) {
    const int block = members - first < kBilinear ? int(members - first) : kBilinear;
    double a[kBilinear] = {}, b[kBilinear] = {};
    for (int j = 0; j < block; j++) a[j] = w[2 * (first + j)], b[j] = w[2 * (first + j) + 1];
    for (int64_t t = 0; t < steps; t++) {
#pragma omp simd
      for (int j = 0; j < kBilinear; j++) {
        const double x = a[j], y = b[j];
        a[j] = x - lr * y;
        b[j] = y + lr * x;
      }
    }
    for (int j = 0; j < block; j++) w[2 * (first + j)] = a[j], w[2 * (first + j) + 1] = b[j];
  }
}

extern "C" void extragradient_dirac(double *w, int64_t members, int64_t steps, double lr) {
  for (int64_t first = 0; first < members; first += kDirac) {
    const int block = members - first < kDirac ? int(members - first) : kDirac;
    double a[kDirac] = {}, b[kDirac] = {};
    for (int j = 0; j < block; j++) a[j] = w[2 * (first + j)], b[j] = w[2 * (first + j) + 1];
    for (int64_t t = 0; t < steps; t++) {
#pragma omp simd
      for (int j = 0; j < kDirac; j++) {
        const double x = a[j], y = b[j], s = lr / (1.0 + exp(x * y));
        const double p = x - s * y, q = y + s * x, r = lr / (1.0 + exp(p * q));
        a[j] = x - r * q;
        b[j] = y + r * p;
      }
    }
    for (int j = 0; j < block; j++) w[2 * (first + j)] = a[j], w[2 * (first + j) + 1] = b[j];
  }
}
