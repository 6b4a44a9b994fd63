#include "simulators/train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/fingerprint.h"
#include "core/record/run_json.h"

namespace bitlaw {
namespace {

using nlohmann::json;

constexpr std::string_view kLayouts = "bitlaw checkpoint ", kLayout = "bitlaw checkpoint 4";
constexpr std::string_view kParameters = "parameters.", kAmax = "amax.";  // before their names
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

/// The tensors' bytes behind `head`. Models are large, so they are copied once.
std::string payload(const TrainState& state, std::string_view head = "") {
  std::size_t floats = state.parameters.size();
  for (const StateTensor& tensor : state.optimizer) floats += tensor.values.size();
  for (const auto& [name, samples] : state.amax) floats += samples.size();
  std::string bytes;
  bytes.reserve(head.size() + floats * sizeof(float));
  bytes += head;
  append(bytes, state.parameters);
  for (const StateTensor& tensor : state.optimizer) append(bytes, tensor.values);
  for (const auto& [name, samples] : state.amax) append(bytes, samples);
  return bytes;
}

json to_json(const TrainState& state) {
  const AnnealingAreas& a = state.areas;
  return {{"step", state.step},
          {"optimizer", name_of(state.optimizer_kind, kOptimizerKindNames)},
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
  const auto kind = value_of(rest.at("optimizer").get<std::string>(), kOptimizerKindNames);
  BITLAW_CHECK(kind, "optimizer {} in {}", rest.at("optimizer").dump(), path.string());
  state.optimizer_kind = *kind;
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

/// Puts the tensors of the header, in the order of their data, where they belong in the state.
void read_tensors(const json& header, std::string_view data, TrainState& state) {
  std::vector<std::pair<std::size_t, std::string>> order;
  for (const auto& [name, entry] : header.items()) {
    if (name != kMetadata) order.emplace_back(entry.at("data_offsets").at(0).get<std::size_t>(), name);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [begin, name] : order) {
    const auto end = header.at(name).at("data_offsets").at(1).get<std::size_t>();
    BITLAW_CHECK(begin <= end && end <= data.size(), "tensor {} at {} to {} of {} bytes", name, begin, end,
                 data.size());
    std::vector<float> values((end - begin) / sizeof(float));
    std::memcpy(values.data(), data.data() + begin, values.size() * sizeof(float));
    if (name.starts_with(kAmax)) {
      state.amax.emplace(name.substr(kAmax.size()), std::move(values));
      continue;
    }
    if (!name.starts_with(kParameters)) {
      state.optimizer.push_back({name, std::move(values)});
      continue;
    }
    const json& shape = header.at(name).at("shape");
    state.layout.push_back(
        {name.substr(kParameters.size()), shape.at(0).get<std::int64_t>(), shape.at(1).get<std::int64_t>()});
    state.parameters.insert(state.parameters.end(), values.begin(), values.end());
  }
}

/// The tensors of the header of a file.
json describe_tensors(const TrainState& state) {
  json tensors;
  std::size_t offset = 0;
  const auto describe = [&](const std::string& name, const json& shape, std::size_t size) {
    const std::size_t end = offset + size * sizeof(float);
    tensors[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {offset, end}}};
    offset = end;
  };
  for (const auto& [name, rows, cols] : state.layout) {
    describe(std::string(kParameters) + name, {rows, cols}, static_cast<std::size_t>(rows * cols));
  }
  BITLAW_CHECK(offset == state.parameters.size() * sizeof(float), "a layout of {} bytes for {} parameters", offset,
               state.parameters.size());
  for (const auto& [name, values] : state.optimizer) describe(name, {values.size()}, values.size());
  for (const auto& [name, samples] : state.amax) describe(std::string(kAmax) + name, {samples.size()}, samples.size());
  return tensors;
}

std::string fingerprint_of(const std::string& rest, const json& tensors, std::string_view data) {
  return fingerprint(rest + tensors.dump() + fingerprint(data));
}

/// `identity`: the run that it must be of; null: any.
TrainState read_state(const std::filesystem::path& path, const std::string* identity, const Refusal& refuse) {
  const std::string file = read_file(path);
  std::uint64_t length = 0;
  if (file.size() < sizeof length) refuse("is cut short");
  std::memcpy(&length, file.data(), sizeof length);
  if (length > file.size() - sizeof length) refuse("is cut short");
  const json header = json::parse(file.substr(sizeof length, length), nullptr, /*allow_exceptions=*/false);
  const std::string_view data = std::string_view(file).substr(sizeof length + length);
  try {
    const json& metadata = header.at(kMetadata);
    const std::string layout = metadata.at("layout");
    if (layout < kLayout && layout.starts_with(kLayouts)) refuse("was written by an earlier version of bitlaw");
    if (layout != kLayout) refuse("has an unknown layout");
    if (identity != nullptr && metadata.at("identity") != *identity) refuse("belongs to another run");
    json described = header;
    described.erase(kMetadata);
    const std::string rest_text = metadata.at("state");
    if (metadata.at("fingerprint") != fingerprint_of(rest_text, described, data)) refuse("is damaged");
    TrainState state = state_from_json(json::parse(rest_text), path);
    read_tensors(header, data, state);
    return state;
  } catch (const json::exception&) {
    refuse("is damaged");
  }
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const std::string& identity, const TrainState& state) {
  const json tensors = describe_tensors(state);
  const std::string data = payload(state);
  // safetensors metadata holds strings only, so the rest of the state is JSON text.
  const std::string rest_text = to_json(state).dump();
  json header = tensors;
  header[kMetadata] = {{"layout", kLayout},
                       {"identity", identity},
                       {"state", rest_text},
                       {"fingerprint", fingerprint_of(rest_text, tensors, data)}};
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    errno = 0;
    std::ofstream file(temporary, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text << data;
    file.close();
    if (!file) refuse_writing(path, system_reason());
  });
}

std::optional<TrainState> load_checkpoint(const std::filesystem::path& path, const std::string& identity) {
  if (!file_exists(path)) return std::nullopt;
  try {
    return read_state(path, &identity, {path, kDelete});
  } catch (const InputError& error) {
    throw DamagedFile(error.what());
  }
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

std::string content_fingerprint(const TrainState& state) {
  json rest = to_json(state);
  rest.erase("wall_seconds");
  return fingerprint_of(rest.dump(), describe_tensors(state), payload(state));
}

std::string state_hash(const TrainState& state) { return fingerprint(payload(state, std::to_string(state.step))); }

}  // namespace bitlaw
