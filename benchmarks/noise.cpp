// Gradient steps on a quadratic game with Gaussian noise, as one writes them by hand: Threefry-2x64-13, Box-Muller.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

static inline uint64_t turned(uint64_t x, int k) { return x << k | x >> (64 - k); }

static inline double fraction(uint64_t word) {
  double found;
  word = word >> 12 | 0x3FF0000000000000ull;
  memcpy(&found, &word, 8);
  return found - 1.0;
}

int main(int, char **argv) {
  const int64_t members = atoll(argv[1]);
  const int steps = atoi(argv[2]), turns[8] = {16, 42, 12, 31, 16, 32, 24, 21};
  const double mu = .7, b = 1.9, c = .45, lr = .1, sigma = std::sqrt(.3);
  std::vector<double> x(members, 0.0), y(members, 0.0);
  const clock_t began = clock();
  for (int64_t i = 0; i < members; i++) {
    double u = x[i], w = y[i];
    for (int t = 0; t < steps; t++) {
      const uint64_t key = 0x9E3779B97F4A7C15ull * (t + 1), parity = key ^ 0x1BD11BDAA9FC1A22ull;
      uint64_t p = i + key, q = 0;
#pragma GCC unroll 13
      for (int r = 0; r < 13; r++) {
        p += q;
        q = turned(q, turns[r % 8]) ^ p;
        if (r == 3) q += parity + 1;
        if (r == 7) p += parity, q += key + 2;
        if (r == 11) p += key, q += 3;
      }
      const double radius = sigma * std::sqrt(-2 * std::log(1 - fraction(p))), angle = 6.283185307179586 * fraction(q);
      const double vx = mu * u + b * w + radius * std::cos(angle), vy = c * w - b * u + radius * std::sin(angle);
      u -= lr * vx;
      w -= lr * vy;
    }
    x[i] = u, y[i] = w;
  }
  double total = 0;
  for (int64_t i = 0; i < members; i++) total += x[i] * x[i];
  printf("%.6f %.6f\n", double(clock() - began) / CLOCKS_PER_SEC, total / members);
}
