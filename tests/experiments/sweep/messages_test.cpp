#include <doctest/doctest.h>

#include <string_view>

#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

struct Message {
  std::string text, message;
};

/// A run's id, which is a fingerprint, as "ID".
std::string without_id(std::string message) {
  const auto is_id = [](std::string_view word) {
    return word.size() == 32 && word.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  for (std::size_t at = message.find("run "); at != std::string::npos; at = message.find("run ", at + 1)) {
    if (is_id(std::string_view(message).substr(at + 4, 32))) message.replace(at + 4, 32, "ID");
  }
  return message;
}

/// Every message whole: place, what, why, remedy.
void check(const std::vector<Message>& rows) {
  for (const Message& row : rows) {
    CAPTURE(row.text);
    CHECK(without_id(refusal(row.text)) == row.message);
  }
}

TEST_CASE("plan: nothing is wrong with the file that the other cases spoil") { CHECK(refusal(kSmall) == "no error"); }

TEST_CASE("plan: a misspelt key names the nearest one") {
  check({
      {small("modell: {layers: 2}\n"),
       "x.yaml:5:1: unknown key 'modell' in the file, so its value would be ignored; did you mean 'model'?"},
      {small("frobnicate: 3\n"),
       "x.yaml:5:1: unknown key 'frobnicate' in the file, so its value would be ignored; use one of: extends, "
       "experiment, title, task, corpus, regression, classification, diffusion, model, training, precision, "
       "statistics, stop, "
       "precisions, sweep, fits"},
      {small("sweep: {grid: {model.widht: [32]}}\n"),
       "x.yaml:5:16: unknown key 'model.widht' in the sweep, so its value would be ignored; did you mean "
       "'model.width'?"},
      {small("sweep: {grids: {model.width: [32]}}\n"),
       "x.yaml:5:9: unknown key 'grids' in sweep, so its value would be ignored; did you mean 'grid'?"},
      {small("precision: {all: {format: e4m3, block: 32, rounding: nearest}}\n"),
       "x.yaml:5:44: unknown key 'rounding' in a slot, so its value would be ignored; use one of: preset, format, "
       "block, scale, round, bits, rotate, rotate_signs, rotate_result, guide, delayed, learned, gradient, "
       "gradient_parameter, "
       "scale_gradient, gradient_sharpness, rule, tensor_target, statistic, parameter, "
       "scale_round, scale_ties, "
       "least_scale, order, store, scaling, search, search_window, zero_scale, non_finite, double_quantization"},
      {small("precision: {fwd: mxfp4}\n"),
       "x.yaml:5:13: unknown key 'fwd' in a precision, so its value would be ignored; use one of: all, forward, "
       "backward, weights, activations, gradients, fwd.x, fwd.w, dgrad.g, dgrad.w, wgrad.g, wgrad.x, rules"},
      {small("fits: [{law: chinchilla, were: {}}]\n"),
       "x.yaml:5:26: unknown key 'were' in a fit, so its value would be ignored; did you mean 'where'?"},
      {"experiment: t\nmodel: {layer: 2}\n",
       "x.yaml:2:9: unknown key 'layer' in model, so its value would be ignored; did you mean 'layers'?"},
      {"experiment: t\ntraining: {optimizer: {lr: 1}}\n",
       "x.yaml:2:24: unknown key 'lr' in training.optimizer, so its value would be ignored; use one of: kind, "
       "learning_rate, beta1, beta2, epsilon, weight_decay, clip, momentum, nesterov, muon_scale, adam_rate, gamma1, "
       "gamma2, gamma3, reset_every, mean_decay, weights_format, weights_round, moment1_format, moment1_round, "
       "moment2_format, moment2_round"},
  });
}

TEST_CASE("plan: an axis that runs nothing, or does not fit the others, is refused") {
  check({
      {small("sweep: {grid: {precision: []}}\n"),
       "x.yaml:5:27: axis 'precision' of sweep 'tiny' has no values, so the sweep would run nothing; give at least one "
       "value or delete the axis"},
      {small("sweep:\n  zip: {model.width: [16, 32], model.layers: [1, 2, 3]}\n"),
       "x.yaml:6:46: zip axis 'model.layers' has 3 values and 'model.width' has 2, so they cannot be walked together; "
       "give both the same number or move one to the grid"},
      {small("sweep: {grid: {model.width: 32}}\n"), "x.yaml:5:29: model.width is '32', not a list; write [a, b]"},
      {small("sweep: {grid: {model.width: [16, 32, 16]}}\n"),
       "x.yaml:5:1: runs 1 and 3 of sweep 'tiny' are the same (width=16), so one would be trained for nothing; "
       "delete the repeated value"},
      {small("sweep: {grid: {training.seed: [0, 1]}, seeds: 2}\n"),
       "x.yaml:5:47: training.seed is given a second value here (the first: x.yaml:5:32), so one of the two would be "
       "ignored; keep one"},
      {small("sweep: {seeds: none}\n"),
       "x.yaml:5:16: sweep.seeds is 'none', not a whole number; write one from 1 to 1000000"},
      {small("sweep: {seeds: 0}\n"),
       "x.yaml:5:16: sweep.seeds is 0, outside of what it can be; write a whole number from 1 to 1000000"},
      {small("model.width: 48\n"),
       "x.yaml:5:14: model.width is given a second value here (the first: x.yaml:3:27), so one of the two would be "
       "ignored; keep one"},
      {small("? [a]\n: 1\n"), "x.yaml:5:3: this key is not a word, so nothing has that name; write a plain key"},
      {small("sweep: {grid: {precision: [mxfp4, {forward: mxfp4}, {forward: nvfp4}]}}\n"),
       "x.yaml:5:35: this precision has no name, so results could not tell it from others; describe it under "
       "'precisions' and list its name here"},
      {small("training.optimizer.learning_rate: [1e-3, 3e-3]\n"),
       "x.yaml:5:35: training.optimizer.learning_rate is a list, not a number; write one from 0 to 1000000, and "
       "several under sweep.grid"},
  });
}

TEST_CASE("plan: a formula that has no value is refused") {
  check({
      {small("sweep: {derive: {training.tokens: 20 * parms}}\n"),
       "x.yaml:5:35: formula '20 * parms' for training.tokens cannot be evaluated (unknown name \"parms\"); did you "
       "mean 'params'?"},
      {small("sweep: {derive: {training.tokens: 1 / 0}}\n"),
       "x.yaml:5:35: training.tokens is 'inf (1 / 0)', not a whole number; write one from 1 to 1000000000000"},
      {small("sweep: {derive: {corpus.kind: 1}}\n"),
       "x.yaml:5:18: corpus.kind is a word, so no formula can give it; put its values under sweep.grid or sweep.zip"},
      {small("sweep: {grid: {training.tokens: [512]}, derive: {training.tokens: 20 * params}}\n"),
       "x.yaml:5:67: training.tokens is given a second value here (the first: x.yaml:5:34), so one of the two would be "
       "ignored; keep one"},
  });
  // Every number of the configuration by name: the list grows with the keys.
  const std::string formula = refusal(small("sweep: {derive: {training.tokens: 20 *}}\n"));
  CHECK(
      formula.starts_with("x.yaml:5:35: formula '20 *' for training.tokens cannot be evaluated (Unexpected end of "
                          "expression at position 5); "
                          "it may use numbers and: "));
  CHECK(formula.find(", model_width, params, ") != std::string::npos);
}

TEST_CASE("plan: an unknown precision, format or spelling names what there is") {
  check({
      {small("precision: mxpf4\n"),
       "x.yaml:5:12: unknown precision 'mxpf4', neither built in nor under 'precisions', so nothing says how to round; "
       "did you mean 'mxfp4'?"},
      {small("precision: something\n"),
       "x.yaml:5:12: unknown precision 'something', neither built in nor under 'precisions', so nothing says how to "
       "round; use one of: float32, bf16, fp8, mxfp4, mxfp6_e2m3, mxfp6_e3m2, mxfp8, mxfp8_e4m3, mxfp8_e5m2, "
       "mxint8, nvfp4, nvfp4_16x16, nvfp4_te, nvfp4_te_16x16, nvfp4_torchao, nvfp4_4over6_mae, nvfp4_4over6_mse, "
       "ue5m3, ue5m3_32, ue5m3_114688, fp8_channel, fp8_tensor, fp8_1x128, fp8_128x128, int4_g32, int4_g64, int4_g128, "
       "fp8_hybrid, fp8_delayed, fp8_rowwise, nvfp4_pretraining, fp4_all_the_way, quartet, tetrajet, ue5m3_training, "
       "qat_w4a4_g{G}, "
       "qat_w4a16_g{G}, qat_w16a4_g{G}, qat_w4a4_fc2int8_g{G}, capybara_e{E}m{M}_b{B}, capybara_e{E}m{M}_channel, "
       "capybara_e{E}m{M}_tensor"},
      {small("precision: {all: {format: e4m33, block: 32}}\n"),
       "x.yaml:5:27: format 'e4m33' is wider than float32, in which training computes; use at most 8 exponent and 23 "
       "mantissa bits, or float32"},
      {small("precision: {all: {format: q7, block: 32}}\n"),
       "x.yaml:5:27: unknown number format 'q7', neither a name of the catalog nor like 'ue5m3:bias=9,ieee', "
       "'int8:frac=6' or 'binary8p3se', so nothing can be "
       "rounded to it; use e4m3, e2m1, bfloat16, int8 or another name that 'bitlaw formats' lists"},
      {small("precision: {all: {format: nf5, block: 32}}\n"),
       "x.yaml:5:27: unknown number format 'nf5', neither a name of the catalog nor like 'ue5m3:bias=9,ieee', "
       "'int8:frac=6' or 'binary8p3se', so nothing can be rounded to it; did you mean 'nf4'?"},
      {small("precision: {all: {format: [-1, 1x], block: 32}}\n"),
       "x.yaml:5:32: '1x' is no float32 number, so the codebook has no such value; write numbers such as -1, 0.25 or "
       "1e-3, in codebook[...] without spaces"},
      {small("precision: {all: {format: e8m0, block: 32}}\n"),
       "x.yaml:5:27: format 'e8m0' has no sign, so it cannot hold weights, activations or gradients; use a signed "
       "format with a zero"},
      {small("precision: {all: {format: e4m3}}\n"),
       "x.yaml:5:27: slot fwd.x has a format but no block, so nothing says which elements share a scale; add block: "
       "32, channel or tensor"},
      {small("precision: {all: float32, forward: {format: e2m1}}\n"),
       "x.yaml:5:45: slot fwd.x has a format but no block, so nothing says which elements share a scale; add block: "
       "32, channel or tensor"},
      {small("precision: {all: {block: 32}}\n"),
       "x.yaml:5:26: slot fwd.x has 'block' but no format, so it would silently stay in float32; add a format, or "
       "format: float32"},
      {small("precision: {all: {format: e4m3, block: 0}}\n"),
       "x.yaml:5:40: block is 0, outside of what it can be; write a whole number from 1 to 1048576"},
      {small("precision: {all: {format: e4m3, block: row}}\n"),
       "x.yaml:5:40: block is 'row', which is not known; use one of: channel, across, tensor"},
      {small("precision: {all: {format: e4m3, block: 32, round: up}}\n"),
       "x.yaml:5:51: round is 'up', which is not known; use one of: nearest, stochastic, ties_to_even, ties_to_away, "
       "ties_toward_zero, toward_zero, toward_positive, toward_negative, to_odd, stochastic_a, stochastic_b, "
       "stochastic_c, stochastic_exact"},
      {small("precision: {all: {format: e4m3, block: 32, round: stochastic_b}}\n"),
       "x.yaml:5:51: slot fwd.x has round 'stochastic_b' but no bits, so the number of random bits is unknown; add for "
       "example bits: 8, or write stochastic, which takes as many as it needs"},
      {small("precision: {all: {format: e4m3, block: 32, round: to_odd, bits: 4}}\n"),
       "x.yaml:5:65: slot fwd.x has bits but its round 'to_odd' takes no number of random bits, so they would be "
       "ignored; delete bits or write stochastic_a, stochastic_b or stochastic_c"},
      {small("precision: {all: {format: e4m3, block: 32, round: stochastic_a, bits: 33}}\n"),
       "x.yaml:5:71: bits is 33, outside of what it can be; write a whole number from 1 to 32"},
      {small("precision: {all: {format: e8m23, block: tensor, scale: e9m0}}\n"),
       "x.yaml:5:56: scale 'e9m0' is wider than float32, in which training computes; use at most 8 exponent and 23 "
       "mantissa bits, or float32"},
      {small("precisions: {mxfp4: {all: mxfp8}}\n"),
       "x.yaml:5:14: precision 'mxfp4' is built in, so the name would mean two things; choose another name"},
      {small("precisions: {mine: mxfp8}\n"),
       "x.yaml:5:20: precision 'mine' is 'mxfp8', not a map of slots; write for example {forward: mxfp8}"},
      {small("precision:\n"), "x.yaml:5:1: precision is empty, not a word; write one value"},
  });
}

TEST_CASE("plan: rotations that do not fit are refused") {
  check({
      {small("precision: {fwd.x: {preset: mxfp4, rotate: 16}}\n"),
       "x.yaml:5:12: precision 'custom': fwd.x rotates by 16 and fwd.w by 0, so the rotations would not cancel in y = "
       "x W^T; choose sizes that agree and divide"},
      {small("precision: {all: {preset: mxfp4, rotate: 24}}\n"),
       "x.yaml:5:42: rotate is 24, not a power of two, so there is no Hadamard matrix of that size; write 16, 32, 64, "
       "... or 0 for none"},
      {small("precision: {all: {preset: mxfp4, rotate: 64}}\n"),
       "x.yaml:5:12: precision 'custom': the rotation of size 64 does not divide the 32 terms that y = x W^T sums "
       "over in block0.attention.qkv; choose sizes that agree and divide"},
      {small("precision: {all: {preset: mxfp4, rotate: 16, rotate_signs: fixd}}\n"),
       "x.yaml:5:60: rotate_signs is 'fixd', which is not known; did you mean 'fixed'?"},
      {small("precision: {all: {preset: mxfp4, rotate: 32, rotate_signs: fixed}}\n"),
       "x.yaml:5:60: slot fwd.x rotates by 32 with fixed signs, TransformerEngine's list of 16; write rotate: 16, or "
       "rotate_signs: random or none"},
      {small("precision: {all: {preset: mxfp4, rotate_result: bfloat16}}\n"),
       "x.yaml:5:49: slot fwd.x has rotate_result but no rotation, so it would be ignored; add for example rotate: 16, "
       "or delete it"},
      {small("precision: {all: {preset: mxfp4, rotate: 16, rotate_result: ue4m3}}\n"),
       "x.yaml:5:61: rotate_result 'ue4m3' has no sign, so it cannot hold weights, activations or gradients; use a "
       "signed format with a zero"},
  });
}

TEST_CASE("plan: a fit is checked before anything is trained") {
  check({
      {small("fits: [{law: chinchila}]\n"),
       "x.yaml:5:14: law 'chinchila' is not known, so nothing can be fitted; did you mean 'chinchilla'?"},
      {small("fits: [{name: a}]\n"),
       "x.yaml:5:8: this fit names no law, so there is nothing to fit; add law: chinchilla, another that bitlaw "
       "fit --help lists, or formula:"},
      {small("fits: [{law: chinchilla, where: {precison: float32}}]\n"),
       "x.yaml:5:34: no run has a configuration key 'precison', so the fit would select by nothing; did you mean "
       "'precision'?"},
      {small("fits: [{law: chinchilla, where: {precision: mxfp4}}]\n"),
       "x.yaml:5:8: fit 'chinchilla' selects no run, so there is nothing to fit; correct its 'where'"},
      {small("fits: [{law: chinchilla, per: precison}]\n"),
       "x.yaml:5:31: no run has a configuration key 'precison', so the fit would select by nothing; did you mean "
       "'precision'?"},
      {small("sweep: {grid: {task: [language_model, regression]}}\nfits: [{law: chinchilla}]\n"),
       "x.yaml:6:8: fit 'chinchilla' takes runs of the tasks language_model and regression, whose losses are different "
       "quantities, so no law describes both; choose one by 'where' (task=language_model), or fit each by 'per' "
       "(task)"},
      {small("fits: [{law: chinchilla}, {law: chinchilla}]\n"),
       "x.yaml:5:27: two fits are called 'chinchilla', so one would overwrite the other; give one a name"},
      {small("fits: [{law: chinchilla, fixed: {gamma: 1}}]\n"),
       "x.yaml:5:34: law 'chinchilla' has no parameter 'gamma', so it cannot be held; use one of: A, alpha, B, beta, "
       "E"},
      {small("precision: fp8\nfits: [{law: qat}]\n"),
       "x.yaml:6:8: run ID (fp8): law 'qat' needs the elements per scale, and no "
       "constant is published for one scale per tensor; give the recipe blocks along K or leave the run out of this "
       "fit"},
  });
}

/// Of a file that is accepted, without its folder.
std::vector<std::string> warnings_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> warnings = plan_text(text, overrides).warnings;
  for (std::string& warning : warnings) warning.erase(0, warning.find_last_of('/') + 1);
  return warnings;
}

TEST_CASE("plan: a rule without effect is warned of, since an axis may be shortened for a trial") {
  const std::string text = small(
      "sweep:\n"
      "  grid: {model.width: [16, 32]}\n"
      "  when: [{if: model_width > 32, training.batch: 2}, {if: model_width > 16, training.batch: 8}]\n"
      "  include: [model_width < 64, model_width == 16]\n"
      "  exclude: [model_layers > 2]\n");
  CHECK(warnings_of(text) ==
        std::vector<std::string>{
            "x.yaml:7:15: sweep.when: 'model_width > 32' holds for no point, so its values reach no run; correct it or "
            "delete it",
            "x.yaml:8:31: sweep.include: 'model_width == 16' takes in no point beyond those of the conditions before "
            "it; correct it or delete it",
            "x.yaml:9:13: sweep.exclude: 'model_layers > 2' leaves out no point beyond those of the conditions before "
            "it; correct it or delete it"});
  CHECK(
      warnings_of(small("sweep:\n  grid: {model.width: [16, 32, 64]}\n  when: [{if: model_width > 32, training.batch: "
                        "2}]\n  exclude: [model_width == 16]\n"))
          .empty());
}

TEST_CASE("plan: more held-out tokens than there are is warned of where they are asked for") {
  // The last 205 of 4096 symbols are held out, 12 windows of 16 with a target each: 192.
  CHECK(warnings_of(kSmall, {"training.eval_tokens=193"}) ==
        std::vector<std::string>{"--set training.eval_tokens=193: training.eval_tokens 193 is more than the 192 tokens "
                                 "in whole windows that are held out, so the loss is the mean over those; choose at "
                                 "most 192"});
  CHECK(warnings_of(kSmall, {"training.eval_tokens=192"}).empty());
  CHECK(warnings_of("experiment: t\ncorpus: {kind: synthetic, length: 4096}\n").empty());  // at most all, by default
  CHECK(warnings_of("experiment: t\ntask: classification\n"
                    "classification: {data: gaussian, side: 4, classes: 2}\n"
                    "training: {tokens: 64, batch: 8, eval_tokens: 5000000000}\n")
            .size() == 1);
}

TEST_CASE("plan: a warm-up that is longer than the run is refused") {
  CHECK(refusal(kSmall, {"training.schedule.warmup_steps=17"}) ==
        "--set training.schedule.warmup_steps=17: training.schedule.warmup_steps 17 is more than the 16 steps of the "
        "run, so it would end before its peak learning rate; choose at most 16");
  CHECK(refusal(kSmall, {"training.schedule.warmup_steps=16"}) == "no error");
}

TEST_CASE("plan: what is not YAML, or stands twice, is refused where it stands") {
  check({
      {small("title: a: b\n"),
       "x.yaml:5:9: this is not YAML (illegal map value), so nothing can be read; correct the syntax here"},
      {small("title: a\ntitle: b\n"),
       "x.yaml:6:1: key 'title' stands in this map twice (first at line 5), so one of the values would be ignored; "
       "delete one"},
      {small("title: &t [*t]\n"),
       "x.yaml:5:8: this value nests too deep or grows without end, so it cannot be read; write it without an alias to "
       "itself"},
      {"- a\n- b\n", "x.yaml:1:1: the file is a list, not a map; write {key: value}"},
  });
}

TEST_CASE("plan: an experiment needs a name that can be a folder's") {
  check({
      {"title: no name\n",
       "x.yaml:1:1: the file has no key 'experiment', so its results have no name; add experiment: with a short name "
       "as the first line"},
      {"experiment: a/b\n",
       "x.yaml:1:13: experiment is 'a/b', which cannot name a folder everywhere; use letters, digits, '_' and '-'"},
      {"experiment: [a]\n", "x.yaml:1:13: experiment is a list, not a word; write one value"},
  });
}

TEST_CASE("plan: a value of the wrong type or out of range is refused") {
  check({
      {"experiment: t\nmodel: {layers: two}\n",
       "x.yaml:2:17: model.layers is 'two', not a whole number; write one from 1 to 1000"},
      {"experiment: t\nmodel: {layers: 0}\n",
       "x.yaml:2:17: model.layers is 0, outside of what it can be; write a whole number from 1 to 1000"},
      {"experiment: t\nmodel: {layers: 1.5}\n",
       "x.yaml:2:17: model.layers is '1.5', not a whole number; write one from 1 to 1000"},
      {"experiment: t\nmodel: [1]\n", "x.yaml:2:8: model is a list, not a map; write {key: value}"},
      {"experiment: t\ntraining: {optimizer: {learning_rate: fast}}\n",
       "x.yaml:2:39: training.optimizer.learning_rate is 'fast', not a number; write one from 0 to 1000000"},
      {"experiment: t\ntraining: {optimizer: {beta1: 1}}\n",
       "x.yaml:2:31: training.optimizer.beta1 is 1, outside of what it can be; write a number from 0 to 0.999999999"},
      {"experiment: t\ntraining: {schedule: {kind: cosin}}\n",
       "x.yaml:2:29: training.schedule.kind is 'cosin', which is not known; did you mean 'cosine'?"},
      {"experiment: t\ntraining: {schedule: {kind: steps}}\n",
       "x.yaml:2:29: training.schedule.kind is 'steps', which is not known; use one of: constant, cosine, linear, wsd, "
       "cyclic, multi_step, rewarmup, file"},
  });
}

TEST_CASE("plan: a corpus that cannot be read, or is too short for one window, is refused") {
  check({
      {"experiment: t\ncorpus: {files: missing.txt}\n",
       "x.yaml:2:17: missing.txt: No such file or directory, so there is no text to train on; check the path"},
      {"experiment: t\ncorpus: {kind: text}\n",
       "x.yaml:2:1: corpus: files is empty, so there is nothing to train on; name at least one file"},
      {"experiment: t\ncorpus: {kind: synthetic, vocabulary: 5000}\n",
       "x.yaml:2:16: corpus: vocabulary 5000 of a synthetic source is not between 2 and 1024; choose one that is"},
      {"experiment: t\ncorpus: {kind: synthetic, length: 400}\nmodel: {context: 64}\n",
       "x.yaml:3:18: model.context 64 needs 65 tokens in a row and the held-out part of the corpus has 20, so there is "
       "not one window; shorten the context or give more text"},
      {"experiment: t\ncorpus: {kind: synthetic, length: 40}\nmodel: {context: 64}\n",
       "x.yaml:3:18: model.context 64 needs 65 tokens in a row and the training part of the corpus has 38, so there is "
       "not one window; shorten the context or give more text"},
      {"experiment: t\ncorpus: {kind: synthetic}\ntraining: {eval_tokens: 10}\n",
       "x.yaml:3:25: training.eval_tokens 10 is less than one window of model.context 64, so no loss could be "
       "measured; choose at least 64"},
  });
}

TEST_CASE("plan: a model that cannot be built is refused") {
  check({
      {small("model.kv_heads: 3\n"),
       "x.yaml:5:17: model.kv_heads 3 does not divide model.heads 2, so query heads could not share keys evenly; "
       "choose a divisor"},
      {"experiment: t\ncorpus: {kind: synthetic}\nmodel: {width: 30, heads: 4}\n",
       "x.yaml:3:16: model.width 30 is not a multiple of model.heads 4, so heads would differ in width; choose a "
       "multiple"},
      {"experiment: t\ncorpus: {kind: synthetic}\nmodel: {width: 12, heads: 4}\n",
       "x.yaml:3:16: model.width 12 over model.heads 4 gives heads of the odd width 3, which the rotary embedding "
       "cannot pair up; choose an even quotient"},
  });
}

TEST_CASE("plan: --set is refused under its own name, and when the sweep would undo it") {
  const std::string text = small("sweep: {grid: {model.width: [16, 32]}}\n");
  CHECK(refusal(text, {"model.layers=two"}) ==
        "--set model.layers=two: model.layers is 'two', not a whole number; write one from 1 to 1000");
  CHECK(refusal(text, {"model.layer=1"}) ==
        "--set model.layer=1: unknown key 'layer' in model, so its value would be ignored; did you mean 'layers'?");
  CHECK(refusal(text, {"model.layers"}) ==
        "--set model.layers: has no key and value around a '=', so nothing can be set; write --set key=value, for "
        "example --set training.seed=1");
  CHECK(refusal(text, {"model.width=48"}) ==
        "x.yaml:5:30: model.width is given a second value here (the first: --set model.width=48), so one of the two "
        "would be ignored; keep one");
}

TEST_CASE("plan: --set of a part of the sweep is held to the sweep's rules where the file has no sweep") {
  CHECK(refusal(kSmall, {"sweep.seeeds=3"}) ==
        "--set sweep.seeeds=3: unknown key 'seeeds' in sweep, so its value would be ignored; did you mean 'seeds'?");
  CHECK(refusal(kSmall, {"sweep.seeds=1000001"}) ==
        "--set sweep.seeds=1000001: sweep.seeds is 1000001, outside of what it can be; write a whole number from 1 to "
        "1000000");
  CHECK(refusal(kSmall, {"sweep.grids.model.width=[16]"}) ==
        "--set sweep.grids.model.width=[16]: unknown key 'grids' in sweep, so its value would be ignored; did you mean "
        "'grid'?");
  CHECK(refusal(kSmall, {"model.width=[16, 32]", "sweep.include=model_width == 1"}) ==
        "--set model.width=[16, 32]: include and exclude leave none of the 2 points of sweep 'tiny', so it would run "
        "nothing; loosen a condition");
}

TEST_CASE("plan: a key with dots that is no run's is refused, in the file and by --set") {
  CHECK(refusal(small("sweep.seeds: 3\n")) ==
        "x.yaml:5:1: key 'sweep.seeds' is not one of a run's, which alone may be written with dots, so its value would "
        "be ignored; write it inside of 'sweep'");
  CHECK(refusal(kSmall, {"fits.law=chinchilla"}) ==
        "--set fits.law=chinchilla: key 'fits.law' is not one of a run's, which alone may be written with dots, so its "
        "value would be ignored; write it inside of 'fits'");
}

TEST_CASE("plan: a condition or formula with a single '=' is refused, wherever it stands") {
  const std::string why = "cannot be evaluated (a single '=' assigns and does not compare); use == for equality";
  const std::string grid = "grid: {model.width: [16, 32]}";
  check({
      {small("sweep: {" + grid + ", include: ['model_width = 16']}\n"),
       "x.yaml:5:50: formula 'model_width = 16' for sweep.include " + why},
      {small("sweep: {" + grid + ", exclude: 'model_width =16'}\n"),
       "x.yaml:5:49: formula 'model_width =16' for sweep.exclude " + why},
      {small("sweep: {" + grid + ", when: [{if: model_width=16, training.batch: 2}]}\n"),
       "x.yaml:5:52: formula 'model_width=16' for sweep.when " + why},
      {small("sweep: {" + grid + ", derive: {training.tokens: training_batch = 64}}\n"),
       "x.yaml:5:66: formula 'training_batch = 64' for training.tokens " + why},
  });
  CHECK(refusal(kSmall, {"sweep.include=params = 64"}) ==
        "--set sweep.include=params = 64: formula 'params = 64' for sweep.include " + why);
  CHECK(refusal(small("sweep: {" + grid +
                      ", include: [model_width == 16 and params >= 1 and training_batch <= 4 and precision != 'mxfp4' "
                      "and model_heads != 7]}\n")) == "no error");
}

TEST_CASE("plan: a second document in a file is refused where it begins, one without content is none") {
  CHECK(refusal(small("---\nmodel: {width: 64}\n")) ==
        "x.yaml:6:1: a second document begins here, behind '---', so all of it would be ignored; delete the '---', or "
        "make two files");
  CHECK(refusal("---\n" + small("...\n---\n# nothing\n---\n")) == "no error");
}

TEST_CASE("plan: of a long text, a message has the beginning") {
  const std::string line = "The quick brown fox jumps over the lazy dog and runs";
  CHECK(refusal(line + "\n\n" + line + "\n") ==
        "x.yaml:1:1: the file is 'The quick brown fox jumps over the lazy ...', not a map; write {key: value}");
  CHECK(refusal(small("title: [a]\n")) == "x.yaml:5:8: title is a list, not a word; write one value");
  // An a and 2 bytes for each letter after it: 40 bytes end within a letter, which is left out whole.
  CHECK(refusal("aéééééééééééééééééééé") ==
        "x.yaml:1:1: the file is 'aééééééééééééééééééé...', not a map; write {key: value}");
}

TEST_CASE("plan: a file that is not there is named") {
  CHECK_THROWS_WITH_AS(
      plan_experiment("/nowhere/x.yaml"),
      "/nowhere/x.yaml: cannot be read (No such file or directory); check the path and its permissions", InputError);
}

}  // namespace
}  // namespace bitlaw
