#include "experiments/cli/kinetics_traces.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/cli/element_progress.h"
#include "experiments/cli/kinetics_flags.h"

namespace bitlaw {
namespace {

void read_word(TraceReader& reader, const std::string& word) {
  AnswererWords given{.model = "", .attention = "", .weights = "", .kv = ""};
  const std::size_t sign = word.find('=');
  if (sign == std::string::npos || file_exists(word)) return reader.read(word, given);
  const std::string who = word.substr(0, sign);
  const std::size_t comma = who.find(',');
  given.model = who.substr(0, comma);
  if (comma != std::string::npos) given.attention = who.substr(comma + 1);
  reader.read(word.substr(sign + 1), given);
}

}  // namespace

void add_traces_argument(CLI::App& verb, std::vector<std::string>& words, const std::string& note) {
  verb.add_option(
          "traces", words,
          "FILE, MODEL=FILE or MODEL,ATTENTION=FILE: JSON lines with query, score and tokens, plain or .gz" + note)
      ->required();
}

Traces read_answers(const std::vector<std::string>& words, int threads) {
  TraceReader reader(threads);
  with_element_progress(
      [&](const ElementsDone& progress) {
        for (std::size_t i = 0; i < words.size(); ++i) {
          read_word(reader, words[i]);
          progress(static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(words.size()));
        }
      },
      item_progress_line);
  Traces traces = reader.take();
  if (traces.answerers.empty()) {
    throw InputError(
        fmt::format("{}: has no answers, so there is nothing to spend a budget on; write one a line", words.front()));
  }
  return traces;
}

PricedTraces read_traces(const std::vector<std::string>& words, int threads) {
  PricedTraces priced{.traces = read_answers(words, threads), .settings = {}};
  for (const Answerer& answerer : priced.traces.answerers) {
    const AnswererWords& w = answerer.words;
    priced.settings.push_back(setting_of(answerer.first_place, w.model, w.attention, w.weights, w.kv));
  }
  return priced;
}

std::string answerer_name(const AnswererWords& words) {
  const AnswererWords usual;
  std::string name = words.model;
  if (words.attention != usual.attention) name += " " + words.attention;
  if (words.weights != usual.weights) name += " weights " + words.weights;
  if (words.kv != usual.kv) name += " kv " + words.kv;
  return name;
}

}  // namespace bitlaw
