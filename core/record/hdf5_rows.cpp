#include "core/record/hdf5_rows.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <utility>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/record/hdf5_seal.h"
#include "core/record/hdf5_session.h"

namespace bitlaw {
namespace {

using hdf5::Handle;
using hdf5::require;

/// A dataset with one dimension, and for messages where it is.
struct Dataset {
  Handle id;
  std::string place;
  std::size_t rows;
};

Handle type_of(const Dataset& dataset) {
  return {H5Dget_type(dataset.id.id()), H5Tclose, dataset.place, "reading the type"};
}

bool is_compound(const Dataset& dataset) { return H5Tget_class(type_of(dataset).id()) == H5T_COMPOUND; }

/// The object as a dataset with one dimension; nothing for another object.
std::optional<Dataset> vector_of(Handle object, const std::string& place) {
  if (H5Iget_type(object.id()) != H5I_DATASET) return std::nullopt;
  const Handle space(H5Dget_space(object.id()), H5Sclose, place, "reading the shape");
  if (H5Sget_simple_extent_ndims(space.id()) != 1) return std::nullopt;
  hsize_t extent = 0;
  require(H5Sget_simple_extent_dims(space.id(), &extent, nullptr), place, "reading the shape");
  return Dataset{std::move(object), place, static_cast<std::size_t>(extent)};
}

/// What is read of a dataset: all of its elements or one member of each, one value a row or an array of them.
struct Source {
  const Dataset& dataset;
  std::string member;     ///< empty: the elements themselves
  hsize_t width = 1;      ///< values a row
  bool is_array = false;  ///< HDF5 knows arrays of one value, too

  std::size_t count() const { return dataset.rows * static_cast<std::size_t>(width); }

  /// All values as `element`, [row][width].
  void read(hid_t element, void* values) const {
    if (count() == 0) return;
    const std::string& place = dataset.place;
    Handle type(is_array ? H5Tarray_create2(element, 1, &width) : H5Tcopy(element), H5Tclose, place, "making a type");
    if (!member.empty()) {  // HDF5 reads those members alone that the type in memory has
      Handle row(H5Tcreate(H5T_COMPOUND, H5Tget_size(type.id())), H5Tclose, place, "making a row type");
      require(H5Tinsert(row.id(), member.c_str(), 0, type.id()), place, "making a row type");
      type = std::move(row);
    }
    require(H5Dread(dataset.id.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values), place,
            member.empty() ? "reading" : fmt::format("reading column '{}'", member));
  }
};

std::vector<std::string> read_texts(const Source& source, hid_t stored) {
  std::vector<std::string> texts;
  if (H5Tis_variable_str(stored) > 0) {
    std::vector<char*> pointers(source.count());
    source.read(stored, pointers.data());
    for (char* text : pointers) {
      texts.emplace_back(text != nullptr ? text : "");
      H5free_memory(text);
    }
    return texts;
  }
  const std::size_t bytes = H5Tget_size(stored);
  const bool has_spaces = H5Tget_strpad(stored) == H5T_STR_SPACEPAD;  // behind the text, as Fortran fills it
  std::vector<char> all(source.count() * bytes);
  source.read(stored, all.data());
  for (std::size_t at = 0; at < all.size(); at += bytes) {
    std::string text(&all[at], ::strnlen(&all[at], bytes));
    if (has_spaces) text.erase(text.find_last_not_of(' ') + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

template <typename T>
std::vector<T> read_numbers(const Source& source, hid_t native) {
  std::vector<T> values(source.count());
  source.read(native, values.data());
  return values;
}

/// The values [row][name] as a column for each name.
template <typename T>
void split(std::vector<Column>& columns, const std::vector<std::string>& names, const std::vector<T>& values) {
  for (std::size_t k = 0; k < names.size(); ++k) {
    std::vector<T> own;
    for (std::size_t at = k; at < values.size(); at += names.size()) own.push_back(values[at]);
    columns.push_back({names[k], {}, std::move(own)});
  }
}

void add_values(std::vector<Column>& columns, const Source& source, hid_t stored,
                const std::vector<std::string>& names) {
  const H5T_class_t kind = H5Tget_class(stored);
  if (kind == H5T_INTEGER && H5Tget_sign(stored) == H5T_SGN_NONE) {
    split(columns, names, read_numbers<std::uint64_t>(source, H5T_NATIVE_UINT64));
  } else if (kind == H5T_INTEGER || kind == H5T_ENUM) {  // h5py's truth values are an enumeration
    split(columns, names, read_numbers<std::int64_t>(source, H5T_NATIVE_INT64));
  } else if (kind == H5T_BITFIELD && H5Tget_size(stored) == 1) {  // and those of PyTables eight bits
    split(columns, names, read_numbers<std::int8_t>(source, H5T_NATIVE_B8));
  } else if (kind == H5T_FLOAT) {
    split(columns, names, read_numbers<double>(source, H5T_NATIVE_DOUBLE));
  } else if (kind == H5T_STRING) {
    split(columns, names, read_texts(source, stored));
  }
}

/// The names that pandas notes of the columns in a block: a list of texts as Python's pickle 0 writes it, a line
/// "VName" or "aVName" for each. Empty when there are not `count`.
std::vector<std::string> noted_names(const Dataset& dataset, const std::string& block, std::size_t count) {
  const std::string attribute = block + "_kind";
  if (H5Aexists(dataset.id.id(), attribute.c_str()) <= 0) return {};
  const Handle note(H5Aopen(dataset.id.id(), attribute.c_str(), H5P_DEFAULT), H5Aclose, dataset.place,
                    "opening a note");
  const Handle type(H5Aget_type(note.id()), H5Tclose, dataset.place, "reading a note's type");
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) > 0) return {};
  std::string text(H5Tget_size(type.id()), '\0');
  require(H5Aread(note.id(), type.id(), text.data()), dataset.place, "reading a note");
  std::vector<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("aV")) line.erase(0, 1);
    if (line.starts_with('V')) names.push_back(line.substr(1));
  }
  return names.size() == count ? names : std::vector<std::string>();
}

/// The column `name`, or those of its arrays; none for values that are neither numbers nor text.
void add_columns(std::vector<Column>& columns, Source source, hid_t stored, const std::string& name) {
  if (H5Tget_class(stored) != H5T_ARRAY) return add_values(columns, source, stored, {name});
  if (H5Tget_array_ndims(stored) != 1) return;
  source.is_array = true;
  H5Tget_array_dims2(stored, &source.width);
  const Handle element(H5Tget_super(stored), H5Tclose, source.dataset.place, "reading a column's type");
  std::vector<std::string> names = noted_names(source.dataset, name, source.width);
  for (std::size_t k = names.size(); k < source.width; ++k) names.push_back(fmt::format("{}[{}]", name, k));
  add_values(columns, source, element.id(), names);
}

std::vector<Column> columns_of_compound(const Dataset& dataset) {
  const Handle row = type_of(dataset);
  std::vector<Column> columns;
  for (int k = 0; k < H5Tget_nmembers(row.id()); ++k) {
    const auto index = static_cast<unsigned>(k);
    char* const chars = H5Tget_member_name(row.id(), index);
    const std::string name = chars;
    H5free_memory(chars);
    const Handle type(H5Tget_member_type(row.id(), index), H5Tclose, dataset.place, "reading a column's type");
    add_columns(columns, {.dataset = dataset, .member = name}, type.id(), name);
  }
  return columns;
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

/// The object called `name`; nothing where there is none, or a link to nowhere.
std::optional<Handle> find_object(hid_t group, const std::string& name, const std::string& place) {
  const hid_t object = H5Oopen(group, name.c_str(), H5P_DEFAULT);
  if (object < 0) return std::nullopt;
  return Handle(object, H5Oclose, place, "opening");
}

/// The datasets of a group that have one dimension, by name.
std::vector<std::pair<std::string, Dataset>> vectors_of(hid_t group, const std::string& place) {
  std::vector<std::string> names;
  require(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names), place, "listing the group");
  std::vector<std::pair<std::string, Dataset>> vectors;
  for (const std::string& name : names) {
    auto object = find_object(group, name, place);
    auto vector = object ? vector_of(std::move(*object), place) : std::nullopt;
    if (vector) vectors.emplace_back(name, std::move(*vector));
  }
  return vectors;
}

std::size_t rows_of(const Column& column) {
  return std::visit([](const auto& values) { return values.size(); }, column.values);
}

/// Of a contiguous ragged array (CF conventions 1.10, 9.3.3), which sweep files keep their curves in: columns with a
/// value for each feature, a curve, are spread over its samples, as many as `row_size` says. Any other group is left as
/// it is.
void spread_features(std::vector<Column>& columns) {
  const auto sizes =
      std::find_if(columns.begin(), columns.end(), [](const Column& column) { return column.name == "row_size"; });
  const auto* counts = sizes == columns.end() ? nullptr : std::get_if<std::vector<std::int64_t>>(&sizes->values);
  if (counts == nullptr) return;
  const auto samples = std::accumulate(counts->begin(), counts->end(), std::int64_t{0});
  if (samples == static_cast<std::int64_t>(counts->size())) return;  // lengths do not tell which are which
  const auto spread = [counts = *counts](auto& values) {
    if (values.size() != counts.size()) return;
    std::decay_t<decltype(values)> all;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      all.insert(all.end(), static_cast<std::size_t>(std::max<std::int64_t>(0, counts[i])), values[i]);
    }
    values = std::move(all);
  };
  for (Column& column : columns) std::visit(spread, column.values);
}

std::vector<Column> columns_of_group(hid_t group, const std::string& place) {
  const auto vectors = vectors_of(group, place);
  for (const auto& [name, dataset] : vectors) {
    if (name == "table" && is_compound(dataset)) return columns_of_compound(dataset);
  }
  std::vector<Column> columns;
  for (const auto& [name, dataset] : vectors) {
    add_columns(columns, {.dataset = dataset, .member = {}}, type_of(dataset).id(), name);
  }
  spread_features(columns);
  for (const Column& column : columns) {
    if (rows_of(column) == rows_of(columns.front())) continue;
    throw InputError(fmt::format(
        "{}: '{}' has {} rows and '{}' {}, so they are no columns of one table; keep those of equal length in a group "
        "of their own (in pandas, to_hdf with format=\"table\")",
        place, columns.front().name, rows_of(columns.front()), column.name, rows_of(column)));
  }
  return columns;
}

/// Whether columns_of_group() finds some, but for vectors of other values than numbers and text.
bool has_columns(hid_t group, const std::string& place) {
  const auto vectors = vectors_of(group, place);
  return std::any_of(vectors.begin(), vectors.end(),
                     [](const auto& vector) { return vector.first == "table" || !is_compound(vector.second); });
}

/// The paths in a file that name a table.
std::vector<std::string> tables_of(hid_t file, const std::string& place) {
  std::vector<std::string> names{"/"};
  require(H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, collect_name, &names), place, "listing the objects");
  std::vector<std::string> tables;
  for (const std::string& name : names) {
    auto object = find_object(file, name, place);
    if (!object || name.find("_i_") != std::string::npos) continue;  // PyTables' indexes are called _i_...
    bool is_table = H5Iget_type(object->id()) == H5I_GROUP && has_columns(object->id(), place);
    if (!is_table) {
      const auto dataset = vector_of(std::move(*object), place);
      is_table = dataset && is_compound(*dataset);
    }
    if (is_table) tables.push_back(name == "/" ? name : "/" + name);
  }
  return tables;
}

std::vector<Column> columns_of_object(Handle object, const std::string& place) {
  if (H5Iget_type(object.id()) == H5I_GROUP) return columns_of_group(object.id(), place);
  const auto dataset = vector_of(std::move(object), place);
  return dataset && is_compound(*dataset) ? columns_of_compound(*dataset) : std::vector<Column>();
}

std::vector<Column> columns_of(const std::string& file, const std::string& object, const std::string& place) {
  hdf5::require_intact(file);
  if (H5Fis_hdf5(file.c_str()) == 0) {
    throw InputError(fmt::format("{}: is not an HDF5 file, so it holds no table; check the path", file));
  }
  const Handle opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, hdf5::unlocked_access(file).id()), H5Fclose, file,
                      "opening the file");
  auto found = find_object(opened.id(), object, place);
  const bool exists = found.has_value();
  std::vector<Column> columns = exists ? columns_of_object(std::move(*found), place) : std::vector<Column>();
  if (!columns.empty()) return columns;
  const std::vector<std::string> tables = tables_of(opened.id(), file);
  const std::string fix = tables.empty() ? "write a group of one-dimensional datasets, or a compound dataset"
                                         : remedy(object, std::span<const std::string>(tables));
  throw InputError(fmt::format("{}: {}, so there are no rows to read; {}", place,
                               exists ? "is no table" : "does not exist in the file", fix));
}

std::string text_of(const Column& column, std::size_t row) {
  return std::visit(
      [row]<typename T>(const std::vector<T>& values) {
        if constexpr (std::is_same_v<T, std::string>) return values[row];
        if constexpr (std::is_same_v<T, double>) {
          return std::isnan(values[row]) ? std::string() : fmt::format("{}", values[row]);
        }
        if constexpr (std::is_integral_v<T>) return fmt::format("{}", values[row]);
      },
      column.values);
}

}  // namespace

Hdf5Rows::Hdf5Rows(const std::filesystem::path& file, const std::string& object)
    : TableRows(fmt::format("{}:{}", file.string(), object)) {
  const hdf5::Session session;
  columns_ = columns_of(file.string(), object, file_);
  rows_ = rows_of(columns_.front());
  for (const Column& column : columns_) names_.push_back(column.name);
}

bool Hdf5Rows::next() {
  if (row_ == rows_) return false;
  cells_.resize(columns_.size());
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    cells_[k] = {
        .text = text_of(columns_[k], row_), .line = static_cast<int>(row_ + 1), .column = static_cast<int>(k + 1)};
  }
  ++row_;
  return true;
}

}  // namespace bitlaw
