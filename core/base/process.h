#pragma once

#include <cstdint>
#include <string>

namespace bitlaw {

/// A process as others can tell it from every other one, also from a later one with its number.
struct ProcessName {
  std::string host;      ///< name of its machine, for people
  std::string space;     ///< 16 hexadecimal digits: one start of one kernel, and within it one space of process numbers
  std::int64_t pid = 0;  ///< its number in that space
  std::uint64_t start = 0;  ///< when it began [clock ticks after the kernel's start], proc(5) /proc/pid/stat field 22

  bool operator==(const ProcessName&) const = default;
};

ProcessName this_process();

/// A word for a file name: different for each process that ever was.
std::string word_of(const ProcessName& process);

enum class Life {
  Alive,
  Dead,     ///< or a zombie
  Unknown,  ///< its numbers are not ours: another machine, another container, or before this machine's last start
};
Life life_of(const ProcessName& process);

}  // namespace bitlaw
