#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bitlaw::hdf5 {

/// What follows the last byte of `file`, a whole HDF5 file, on the disk: a line with its fingerprint.
///
/// HDF5 stores where its data end, so no reader sees the line, and a program that opens the file for writing cuts it
/// off (HDF5 sets the length of the file on closing) or grows over it.
std::string seal_of(std::string_view file);

/// InputError when the file ends in a seal that is not that of the bytes before it. Without a seal it may have been
/// changed by another program, and HDF5's own checks are all there are: a damaged length in its heap of texts crashes
/// version 1.10.8.
void require_intact(const std::filesystem::path& path);

}  // namespace bitlaw::hdf5
