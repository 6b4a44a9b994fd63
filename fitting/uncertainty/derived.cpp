#include "fitting/uncertainty/derived.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <tuple>

#include "core/base/check.h"

namespace bitlaw {
namespace {

/// Where the coefficients and exponents of the terms in N and D are.
struct Terms {
  std::size_t a, alpha, b, beta;
};

/// Registered laws with A N^-alpha + B D^-beta, and what they call these.
struct NamedTerms {
  std::string_view law, a, alpha, b, beta;
};
constexpr std::array kLawsOfTerms{NamedTerms{"chinchilla", "A", "alpha", "B", "beta"},
                                  NamedTerms{"chinchilla_tied", "A", "alpha", "B", "alpha"},
                                  NamedTerms{"qat", "A", "alpha", "B", "beta"},
                                  NamedTerms{"qat_effective", "A", "alpha", "B", "beta"},
                                  NamedTerms{"fp_quantization", "n", "alpha", "d", "beta"},
                                  NamedTerms{"kumar", "A", "alpha", "B", "beta"},
                                  NamedTerms{"quartet", "A", "alpha", "B", "beta"},  // to a power: moves no optimum
                                  NamedTerms{"data_constrained", "A", "alpha", "B", "beta"},
                                  NamedTerms{"over_training", "a", "eta", "b", "eta"}};

/// A formula of a user may mean anything by such names, so it has none.
std::optional<Terms> terms_of(const Law& law) {
  for (const NamedTerms& named : kLawsOfTerms) {
    if (&law != &find_law(named.law)) continue;
    const auto at = [&](std::string_view name) {
      const auto& all = law.parameters();
      const auto found = std::find_if(all.begin(), all.end(), [&](const LawParameter& p) { return p.name == name; });
      BITLAW_CHECK(found != all.end(), "law {}: has no parameter {}", law.name(), name);
      return static_cast<std::size_t>(found - all.begin());
    };
    return Terms{at(named.a), at(named.alpha), at(named.b), at(named.beta)};
  }
  return std::nullopt;
}

/// ln N_opt: where d/dN of A N^-alpha + B (C / 6N)^-beta is zero.
double log_optimal_size(std::span<const double> natural, const Terms& t, double log_b, double compute) {
  const double alpha = natural[t.alpha], beta = natural[t.beta];
  return (std::log(alpha * natural[t.a] / beta) - log_b + beta * std::log(compute / 6)) / (alpha + beta);
}

/// (n, alpha, d, beta, epsilon, gamma, delta, nu) of fp_quantization.
struct FormatParameters {
  explicit FormatParameters(std::span<const double> p)
      : n(p[0]), alpha(p[1]), d(p[2]), beta(p[3]), gamma(p[5]), delta(p[6]), nu(p[7]) {}
  double n, alpha, d, beta, gamma, delta, nu;
};

constexpr double kBlock = 128;  // elements per scale that optima are given for

/// ln of the tokens beyond which more data raise the loss of N parameters: App. D, dL/dD = 0.
double log_critical_data(const FormatParameters& f, double params, double exponent_bits, double mantissa_bits) {
  const double log_term = std::log(f.d * f.gamma / std::log2(kBlock)) + f.alpha * std::log(params) +
                          f.delta * std::log(exponent_bits + 0.5) + f.nu * std::log(mantissa_bits + 0.5);
  return log_term / (2 * f.beta);
}

/// ln of the width P = E + M + 1 that is best together with N and D for C = (6/16) N D P: Eq. 25.
double log_best_width(const FormatParameters& f, double compute) {
  const double both = f.delta + f.nu;
  const double log_gamma_rho =
      std::log(f.gamma) + f.delta * std::log(f.delta) + f.nu * std::log(f.nu) - both * std::log(both);
  const double log_gamma_d = std::log((both - f.alpha) / (f.n * f.alpha)) - log_gamma_rho;
  const double log_lambda = std::log(f.d * f.beta / (f.n * f.alpha) * (both - f.alpha) / (both + f.beta));
  const double share = (f.alpha + f.beta) / f.beta;
  return (log_lambda + share * (log_gamma_d + std::log(std::log2(kBlock))) + f.alpha * std::log(compute * 16 / 6)) /
         (both * share + f.alpha);
}

void append_format_quantities(std::vector<Derived>& quantities, double compute) {
  quantities.push_back({"mantissa share nu/(delta+nu)", "1", [](auto p) {
                          const FormatParameters f(p);
                          return f.nu / (f.delta + f.nu);
                        }});
  constexpr double kParams = 1e9;
  for (const auto& [format, exponent_bits, mantissa_bits] :
       {std::tuple{"E4M3", 4.0, 3.0}, std::tuple{"E2M1", 2.0, 1.0}}) {
    quantities.push_back({fmt::format("D_crit({:g} parameters, {}, B = {:g})", kParams, format, kBlock), "token",
                          [e = exponent_bits, m = mantissa_bits](auto p) {
                            return std::exp(log_critical_data(FormatParameters(p), kParams, e, m));
                          }});
  }
  if (compute > 0) {
    quantities.push_back({fmt::format("P_opt({:g} FLOP, B = {:g})", compute, kBlock), "bit",
                          [compute](auto p) { return std::exp(log_best_width(FormatParameters(p), compute)); }});
  }
}

}  // namespace

std::vector<Derived> derived_quantities(const Law& law, double compute) {
  std::vector<Derived> quantities;
  if (const auto terms = terms_of(law)) {
    const Terms t = *terms;
    quantities.push_back({"a (N_opt ~ C^a)", "1", [t](auto p) { return p[t.beta] / (p[t.alpha] + p[t.beta]); }});
    quantities.push_back({"b (D_opt ~ C^b)", "1", [t](auto p) { return p[t.alpha] / (p[t.alpha] + p[t.beta]); }});
    if (compute > 0) {
      const bool sixth = &law == &find_law("over_training");  // whose b stands beside 6^(-eta/2)
      const auto log_size = [t, compute, sixth](std::span<const double> p) {
        const double log_b = std::log(p[t.b]) - (sixth ? p[t.beta] / 2 * std::log(6) : 0);
        return log_optimal_size(p, t, log_b, compute);
      };
      quantities.push_back({fmt::format("N_opt({:g} FLOP)", compute), "parameter",
                            [log_size](auto p) { return std::exp(log_size(p)); }});
      quantities.push_back({fmt::format("D_opt({:g} FLOP)", compute), "token",
                            [log_size, compute](auto p) { return compute / 6 / std::exp(log_size(p)); }});
      quantities.push_back({fmt::format("D/N at {:g} FLOP", compute), "token/parameter",
                            [log_size, compute](auto p) { return compute / 6 / std::exp(2 * log_size(p)); }});
    }
  }
  if (&law == &find_law("fp_quantization")) append_format_quantities(quantities, compute);
  return quantities;
}

std::vector<double> gradient_of(const Law& law, const Derived& quantity, std::span<const double> fitted) {
  std::vector<double> gradient(fitted.size());
  for (std::size_t j = 0; j < fitted.size(); ++j) {
    const double h = 1e-5;  // truncation h^2, rounding 1e-16 / h: both below 1e-9 of the value
    std::vector<double> up(fitted.begin(), fitted.end()), down = up;
    up[j] += h;
    down[j] -= h;
    gradient[j] = (quantity.value(law.to_natural(up)) - quantity.value(law.to_natural(down))) / (2 * h);
  }
  return gradient;
}

double delta_method_error(const Law& law, const Derived& quantity, std::span<const double> fitted,
                          std::span<const double> covariance) {
  const std::size_t p = fitted.size();
  const std::vector<double> gradient = gradient_of(law, quantity, fitted);
  double variance = 0;
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) {
      if (gradient[j] != 0 && gradient[k] != 0) variance += gradient[j] * covariance[j * p + k] * gradient[k];
    }
  }
  return std::sqrt(variance);
}

}  // namespace bitlaw
