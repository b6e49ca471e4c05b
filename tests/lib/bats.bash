# SPDX-License-Identifier: Apache-2.0
# What every bats file loads first: the assertion libraries, wherever the distribution puts them.

for library in bats-support bats-assert bats-file; do
	for folder in ${BATS_LIB_PATH:+"$BATS_LIB_PATH"} /usr/lib/bats /usr/lib; do
		if [ -e "$folder/$library/load.bash" ]; then
			load "$folder/$library/load.bash"
			continue 2
		fi
	done
	echo "the bats library $library is not installed" >&2
	exit 1
done
unset library folder
