#include "simulators/train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/fingerprint.h"
#include "core/record/run_json.h"

namespace bitlaw {
namespace {

using nlohmann::json;

constexpr std::string_view kLayout = "bitlaw checkpoint 2", kOldLayout = "bitlaw checkpoint 1";
constexpr const char* kParameters = "parameters";
constexpr const char* kMetadata = "__metadata__";

/// Refuses a checkpoint: what is wrong with it, then what its user can do.
struct Refusal {
  const std::filesystem::path& path;
  std::string_view remedy;

  [[noreturn]] void operator()(std::string_view why) const {
    throw InputError(fmt::format("{}: this checkpoint {}, {}", path.string(), why, remedy));
  }
};

constexpr std::string_view kDelete = "so the run cannot continue from it; delete the file to start the run again";
constexpr std::string_view kChooseOther = "so no run can start from it; give another file as training.start_from";

void append(std::string& bytes, const std::vector<float>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

std::string payload(const TrainState& state) {
  std::string bytes;
  append(bytes, state.parameters);
  for (const StateTensor& tensor : state.optimizer) append(bytes, tensor.values);
  return bytes;
}

json to_json(const TrainState& state) {
  const AnnealingAreas& a = state.areas;
  return {{"step", state.step},
          {"loss_scale", {state.loss_scale.scale, state.loss_scale.good_steps, state.loss_scale.skipped_steps}},
          {"areas", {a.s1, a.s2, a.momentum, a.last_rate, a.started}},
          {"tail_loss", state.tail_loss},
          {"tail_steps", state.tail_steps},
          {"wall_seconds", state.wall_seconds},
          {"curve", curve_to_json(state.curve)},
          {"statistics", statistics_to_json(state.statistics)}};
}

TrainState state_from_json(const json& rest, const std::filesystem::path& path) {
  const json &scale = rest.at("loss_scale"), &areas = rest.at("areas");
  TrainState state;
  state.step = rest.at("step").get<std::int64_t>();
  state.loss_scale = {scale.at(0).get<double>(), scale.at(1).get<std::int64_t>(), scale.at(2).get<std::int64_t>()};
  state.areas = {areas.at(0).get<double>(), areas.at(1).get<double>(), areas.at(2).get<double>(),
                 areas.at(3).get<double>(), areas.at(4).get<bool>()};
  state.tail_loss = rest.at("tail_loss").get<double>();
  state.tail_steps = rest.at("tail_steps").get<std::int64_t>();
  state.wall_seconds = rest.at("wall_seconds").get<double>();
  state.curve = curve_from_json(rest.at("curve").get<std::string>(), path.string());
  state.statistics = statistics_from_json(rest.at("statistics").get<std::string>(), path.string());
  return state;
}

/// The tensors of the header in the order of their data.
std::vector<StateTensor> read_tensors(const json& header, std::string_view data) {
  std::vector<std::pair<std::size_t, StateTensor>> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadata) continue;
    const auto begin = entry.at("data_offsets").at(0).get<std::size_t>();
    const auto end = entry.at("data_offsets").at(1).get<std::size_t>();
    BITLAW_CHECK(begin <= end && end <= data.size(), "tensor {} at {} to {} of {} bytes", name, begin, end,
                 data.size());
    StateTensor tensor{name, std::vector<float>((end - begin) / sizeof(float))};
    std::memcpy(tensor.values.data(), data.data() + begin, tensor.values.size() * sizeof(float));
    tensors.emplace_back(begin, std::move(tensor));
  }
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<StateTensor> ordered;
  for (auto& [begin, tensor] : tensors) ordered.push_back(std::move(tensor));
  return ordered;
}

/// `identity`: the run that it must be of; null: any.
TrainState read_state(const std::filesystem::path& path, const std::string* identity, const Refusal& refuse) {
  const std::string file = read_file(path);
  std::uint64_t length = 0;
  if (file.size() < sizeof length) refuse("is cut short");
  std::memcpy(&length, file.data(), sizeof length);
  if (length > file.size() - sizeof length) refuse("is cut short");
  const json header = json::parse(file.substr(sizeof length, length), nullptr, /*allow_exceptions=*/false);
  const std::string data = file.substr(sizeof length + length);
  try {
    const json& metadata = header.at(kMetadata);
    if (metadata.at("layout") == kOldLayout) refuse("was written by an earlier version of bitlaw");
    if (metadata.at("layout") != kLayout) refuse("has an unknown layout");
    if (identity != nullptr && metadata.at("identity") != *identity) refuse("belongs to another run");
    json described = header;
    described.erase(kMetadata);
    const std::string rest_text = metadata.at("state");
    if (metadata.at("fingerprint") != fingerprint(rest_text + described.dump() + data)) refuse("is damaged");
    TrainState state = state_from_json(json::parse(rest_text), path);
    state.optimizer = read_tensors(header, data);
    const auto parameters = std::find_if(state.optimizer.begin(), state.optimizer.end(),
                                         [](const StateTensor& tensor) { return tensor.name == kParameters; });
    if (parameters == state.optimizer.end()) refuse("is damaged");
    state.parameters = std::move(parameters->values);
    state.optimizer.erase(parameters);
    return state;
  } catch (const json::exception&) {
    refuse("is damaged");
  }
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const std::string& identity, const TrainState& state) {
  json tensors;
  std::size_t offset = 0;
  const auto describe = [&](const std::string& name, const std::vector<float>& values) {
    const std::size_t end = offset + values.size() * sizeof(float);
    tensors[name] = {{"dtype", "F32"}, {"shape", {values.size()}}, {"data_offsets", {offset, end}}};
    offset = end;
  };
  describe(kParameters, state.parameters);
  for (const StateTensor& tensor : state.optimizer) describe(tensor.name, tensor.values);
  const std::string data = payload(state);
  // safetensors metadata holds strings only, so the rest of the state is JSON text.
  const std::string rest_text = to_json(state).dump();
  json header = tensors;
  header[kMetadata] = {{"layout", kLayout},
                       {"identity", identity},
                       {"state", rest_text},
                       {"fingerprint", fingerprint(rest_text + tensors.dump() + data)}};
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  write_file_atomically(path, file + text + data);
}

std::optional<TrainState> load_checkpoint(const std::filesystem::path& path, const std::string& identity) {
  if (!file_exists(path)) return std::nullopt;
  return read_state(path, &identity, {path, kDelete});
}

TrainState load_start(const std::filesystem::path& path) {
  if (!file_exists(path)) {
    throw InputError(
        fmt::format("{}: there is no such file, so no run can start from it; train the run that keeps it "
                    "with training.keep_checkpoints, or give another file as training.start_from",
                    path.string()));
  }
  return read_state(path, nullptr, {path, kChooseOther});
}

std::string state_hash(const TrainState& state) { return fingerprint(std::to_string(state.step) + payload(state)); }

}  // namespace bitlaw
