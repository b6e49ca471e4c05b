#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The probe of /dev/kvm where KVM works: in an emulated guest whose processor has AMD's virtualisation.

load ../lib/common
load ../lib/images

setup() {
	common_setup
	[ "$(uname -m)" = x86_64 ] || skip 'the nested machine is an x86 one'
	[ -x "$BUILD/tests/guest/probe_kvm" ] || skip 'no static C library to link the program with'
	work=$BATS_TEST_TMPDIR
}

# The modules of KVM out of the Debian image's root file system, into $work.
extract_modules() {
	local disk offset release module

	disk=$(image_dir debian amd64)/disk.img
	offset=$(sfdisk -J "$disk" | jq '.partitiontable.partitions[1].start * 512')
	release=$(debugfs -R 'ls -p /lib/modules' "$disk?offset=$offset" 2>/dev/null | cut -d / -f 6 | grep cloud)
	for module in virt/lib/irqbypass arch/x86/kvm/kvm arch/x86/kvm/kvm-amd; do
		debugfs -R "dump /lib/modules/$release/kernel/$module.ko $work/${module##*/}.ko" \
			"$disk?offset=$offset" 2>/dev/null
		assert_file_not_empty "$work/${module##*/}.ko"
	done
}

# A disk whose script the tiny guest runs: loads the modules given, then the probe.
make_disk() {
	truncate -s 16M "$work/fat.img"
	PATH=$PATH:/sbin:/usr/sbin mkfs.vfat "$work/fat.img" >/dev/null
	{
		echo 'mkdir /run/probe; mount -t vfat /dev/vda /run/probe; cd /run/probe'
		echo "for module in $*; do insmod \$module.ko; done"
		echo './probe_kvm; poweroff -f'
	} >"$work/tiny.cmd"
	mcopy -i "$work/fat.img" "$work"/*.ko "$work/tiny.cmd" "$BUILD/tests/guest/probe_kvm" ::
}

# What the guest's probe printed, from QEMU's own emulation of this processor.
probe_in_guest() {
	local tiny

	tiny=$(image_dir tiny amd64)
	timeout 300 qemu-system-x86_64 -nodefaults -no-user-config -M q35 -accel tcg -cpu "$1" -m 512 \
		-kernel "$tiny/vmlinuz" -initrd "$tiny/initrd.zst" -append 'console=ttyS0 quiet' \
		-drive "file=$work/fat.img,if=virtio,format=raw" -display none -serial stdio -no-reboot </dev/null |
		tr -d '\r' | grep -a '^PROBE-'
}

@test 'probe: KVM that works' {
	extract_modules
	make_disk irqbypass kvm kvm-amd
	run --separate-stderr probe_in_guest max
	assert_output 'PROBE-ok guest code runs at full speed'
}

@test 'probe: no KVM' {
	extract_modules
	make_disk
	run --separate-stderr probe_in_guest max
	assert_output 'PROBE-none this host has no /dev/kvm'
}
