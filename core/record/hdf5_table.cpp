#include "core/record/hdf5_table.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace bitlaw {
namespace {

using hdf5::Handle;
using hdf5::require;

constexpr hsize_t kRowsPerChunk = 1024;

/// Bytes of one value in a row; a text column is as wide as its longest text, at least one byte.
std::size_t width(const Column& column) {
  return std::visit(
      []<typename T>(const std::vector<T>& values) {
        if constexpr (!std::is_same_v<T, std::string>) return sizeof(T);
        std::size_t longest = 1;
        if constexpr (std::is_same_v<T, std::string>) {
          for (const std::string& text : values) longest = std::max(longest, text.size());
        }
        return longest;
      },
      column.values);
}

Handle cell_type(const Column& column, const std::string& place) {
  const bool is_text = std::holds_alternative<std::vector<std::string>>(column.values);
  const hid_t base = std::visit(
      []<typename T>(const std::vector<T>&) {
        if constexpr (std::is_same_v<T, std::string>) return hid_t{H5T_C_S1};
        if constexpr (!std::is_same_v<T, std::string>) return hid_t{hdf5::stored_type<T>()};
      },
      column.values);
  Handle type(H5Tcopy(base), H5Tclose, place, "making a column type");
  if (is_text) {
    require(H5Tset_size(type.id(), width(column)), place, "making a column type");
    require(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), place, "making a column type");
  }
  return type;
}

/// Bytes of value `row`; numbers as they lie in memory, which is little-endian on every machine we build for.
void put_cell(const Column& column, std::size_t row, char* cell) {
  std::visit(
      [&]<typename T>(const std::vector<T>& values) {
        if constexpr (std::is_same_v<T, std::string>) {
          std::memcpy(cell, values[row].data(), values[row].size());
        } else {
          std::memcpy(cell, &values[row], sizeof(T));
        }
      },
      column.values);
}

}  // namespace

void write_table(const hdf5::Group& group, const std::string& name, std::span<const Column> columns, std::size_t rows) {
  const std::string& place = group.place();
  std::size_t row_bytes = 0;
  for (const Column& column : columns) row_bytes += width(column);
  const Handle row_type(H5Tcreate(H5T_COMPOUND, row_bytes), H5Tclose, place, "making a row type");
  std::vector<char> bytes(rows * row_bytes, '\0');
  std::size_t offset = 0;
  for (const Column& column : columns) {
    std::string column_name = column.name;
    std::replace(column_name.begin(), column_name.end(), '.', '_');
    require(H5Tinsert(row_type.id(), column_name.c_str(), offset, cell_type(column, place).id()), place,
            "making a row type");
    for (std::size_t row = 0; row < rows; ++row) put_cell(column, row, &bytes[row * row_bytes + offset]);
    offset += width(column);
  }
  const hsize_t extent = rows, unlimited = H5S_UNLIMITED;
  const Handle space(H5Screate_simple(1, &extent, &unlimited), H5Sclose, place, "making a dataspace");
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, place, "making table properties");
  H5Pset_chunk(creation.id(), 1, &kRowsPerChunk);  // PyTables takes only chunked, extendible datasets for tables
  H5Pset_attr_creation_order(creation.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(creation.id(), false);
  const Handle table(
      H5Dcreate2(group.id(), name.c_str(), row_type.id(), space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
      H5Dclose, place, "creating the table");
  require(H5Dwrite(table.id(), row_type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), place, "writing the table");
}

}  // namespace bitlaw
