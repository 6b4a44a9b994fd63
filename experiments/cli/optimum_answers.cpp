#include "experiments/cli/optimum_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/block/block_presets.h"
#include "core/format/catalog.h"
#include "experiments/cli/number_checks.h"

namespace bitlaw {
namespace {

Quantity without_interval(double value) { return {.value = value, .interval = {kNan, kNan}}; }

/// The inputs that a format stands for; `given` goes before.
std::map<std::string, double> inputs_of_format(const std::string& format, const std::map<std::string, double>& given) {
  std::map<std::string, double> inputs = given;
  const auto preset = block_preset(format);
  const FormatSpec element = preset ? preset->element : parse_format(format, block_preset_names());
  inputs.try_emplace("E", element.exponent_bits);
  inputs.try_emplace("M", element.mantissa_bits);
  if (preset && preset->shape == BlockShape::AlongK) inputs.try_emplace("B", preset->size);
  return inputs;
}

double bits_of(const std::map<std::string, double>& inputs) { return inputs.at("E") + inputs.at("M") + 1; }

class QuestionAnswerer {
 public:
  QuestionAnswerer(const Law& law, const FitRecord& fit, const OptimumQuestions& questions)
      : law_(law), fit_(fit), questions_(questions), natural_(fit.estimates()) {}

  void budgets() {
    if (questions_.compute.empty()) return;
    const SizedLoss loss(law_, questions_.given);
    HeldSizes held = questions_.held;
    if (!loss.has_bits() && !held.bits) held.bits = 16;
    for (const double compute : questions_.compute) budget(loss, held, compute);
  }

  void sizes() {
    for (const double params : questions_.sizes) {
      if (questions_.formats.empty()) {
        size(SizedLoss(law_, questions_.given), params, questions_.held.bits, fmt::format("{:g} parameters", params));
      }
      for (const std::string& format : questions_.formats) {
        const auto inputs = inputs_of_format(format, questions_.given);
        size(SizedLoss(law_, inputs), params, bits_of(inputs), fmt::format("{:g} parameters in {}", params, format));
      }
    }
  }

  void blocks() {
    if (!questions_.scale_bits) return;
    for (const double compute : questions_.compute) {
      for (const double params : questions_.sizes) {
        for (const std::string& format : questions_.formats) {
          const auto inputs = inputs_of_format(format, questions_.given);
          block({.compute = compute,
                 .params = params,
                 .layout = {inputs.at("E"), inputs.at("M")},
                 .scale_bits = *questions_.scale_bits},
                fmt::format("{:g} FLOP, {:g} parameters in {}, {:g} bits a scale", compute, params, format,
                            *questions_.scale_bits));
        }
      }
    }
  }

  void layouts() {
    if (!questions_.layouts) return;
    for (int bits = 1; bits <= 16; ++bits) {
      const FloatLayout best = best_whole_layout(natural_, bits);
      add(fmt::format("{} bits", bits), "exponent bits", without_interval(best.exponent_bits));
      add(fmt::format("{} bits", bits), "mantissa bits", without_interval(best.mantissa_bits));
    }
  }

  std::vector<OptimumAnswer> take() { return std::move(answers_); }

 private:
  void add(const std::string& question, const char* name, const Quantity& quantity) {
    answers_.push_back({question, name, quantity});
  }

  void budget(const SizedLoss& loss, const HeldSizes& held, double compute) {
    std::map<std::vector<double>, Optimum> found;  // each of a draw's quantities asks for the same
    const auto best_at = [&](std::span<const double> natural) {
      if (std::any_of(natural.begin(), natural.end(), [](double value) { return std::isnan(value); })) return Optimum{};
      const auto [at, is_new] = found.try_emplace({natural.begin(), natural.end()});
      if (is_new) at->second = best_for_compute(loss, natural, questions_.cost, compute, held);
      return at->second;
    };
    const Optimum best = best_at(natural_);
    const std::string question = fmt::format("{:g} FLOP", compute);
    const auto best_of = [&](double Optimum::*member) {
      return quantity_of(law_, fit_, [&](std::span<const double> natural) {
        const Optimum optimum = best_at(natural);
        return optimum.inside ? optimum.*member : kNan;
      });
    };
    if (!held.params) add(question, "parameters", best_of(&Optimum::params));
    if (!held.tokens) add(question, "tokens", best_of(&Optimum::tokens));
    if (!held.bits) add(question, "bits", best_of(&Optimum::bits));
    add(question, "loss", without_interval(best.inside ? best.loss : kNan));
  }

  void block(const BlockQuestion& asked, const std::string& question) {
    const auto best = [&](std::span<const double> natural) {
      const BlockOptimum optimum = best_block(law_, natural, questions_.cost, asked);
      return optimum.inside ? optimum.block : kNan;
    };
    add(question, "elements per scale", quantity_of(law_, fit_, best));
    const BlockOptimum power = best_power_of_two(law_, natural_, questions_.cost, asked);
    add(question, "power of two", without_interval(power.block));
    add(question, "its loss", without_interval(power.loss));
  }

  void size(const SizedLoss& loss, double params, std::optional<double> held, const std::string& question) {
    if (loss.has_bits() && !held) {
      throw InputError(
          fmt::format("{}: law '{}' needs bits, so there is no loss; give --bits or --format", question, law_.name()));
    }
    const double bits = held.value_or(16);
    add(question, "critical tokens", quantity_of(law_, fit_, [&](std::span<const double> natural) {
          const Optimum critical = critical_tokens(loss, natural, params, bits);
          return critical.inside ? critical.tokens : kNan;
        }));
    if (!questions_.loss) return;
    add(question + fmt::format(" to {:g}", *questions_.loss), "tokens",
        quantity_of(law_, fit_, [&](std::span<const double> natural) {
          return tokens_to_reach(loss, natural, params, bits, *questions_.loss).value_or(kNan);
        }));
  }

  const Law& law_;
  const FitRecord& fit_;
  const OptimumQuestions& questions_;
  std::vector<double> natural_;
  std::vector<OptimumAnswer> answers_;
};

void check_questions(const Law& law, const OptimumQuestions& questions) {
  for (const double compute : questions.compute) check_positive("--compute", compute);
  for (const double size : questions.sizes) check_positive("--size", size);
  for (const auto& held : {questions.held.params, questions.held.tokens}) {
    if (held) check_positive("--hold", *held);
  }
  const bool asks_of_layouts = questions.layouts || questions.scale_bits || !questions.formats.empty();
  if (asks_of_layouts && &law != &find_law("fp_quantization")) {
    throw InputError(
        fmt::format("law '{}': knows no exponent, mantissa and block, so --layouts, --format and --scale-bits "
                    "have no answer; ask fp_quantization",
                    law.name()));
  }
  if (questions.held.params && questions.held.tokens) {
    throw InputError("--hold: N and D are both held, so a budget leaves no choice; hold one");
  }
  if (questions.scale_bits && (questions.compute.empty() || questions.sizes.empty() || questions.formats.empty())) {
    throw InputError(
        "--scale-bits: the best block depends on a budget, a size and a format, so it has none; add "
        "--compute, --size and --format");
  }
  if (questions.loss && questions.sizes.empty()) {
    throw InputError("--loss: how many tokens reach it depends on the size, so there is no answer; add --size");
  }
  if (questions.compute.empty() && questions.sizes.empty() && !questions.layouts) {
    throw InputError("bitlaw optimum: nothing is asked, so there is no answer; add --compute, --size or --layouts");
  }
}

}  // namespace

std::vector<OptimumAnswer> answer_questions(const Law& law, const FitRecord& fit, const OptimumQuestions& questions) {
  check_questions(law, questions);
  QuestionAnswerer answerer(law, fit, questions);
  if (!questions.scale_bits) answerer.budgets();
  if (!questions.scale_bits) answerer.sizes();
  answerer.blocks();
  answerer.layouts();
  return answerer.take();
}

}  // namespace bitlaw
