# SPDX-License-Identifier: Apache-2.0
# Tables of faults: `load ../lib/faults` after ../lib/registry.

# Rules from now on, as tests/lib/registry/faults.py reads them.
spoil() { # RULE...
	local rule

	for rule; do
		control "rule $rule"
	done
}

# Every one of these rules was met: a fault that does not happen shows nothing.
assert_met() { # RULE...
	local rule kind

	for rule; do
		read -r _ _ _ kind _ <<<"$rule"
		is_met "$kind" || fail "never met: $rule"
	done
}
