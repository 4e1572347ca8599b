"""Virtual machines that are hosts: those of Pulumi.dev.yaml, made by Vagrant.

`python3 -m vagrant` on the command line. Where neither VirtualBox nor libvirt can be used as it is, it
brings a libvirt of its own, on hardware virtualisation where that works, else on software emulation.
Standard library only: this runs before anything is installed.
"""
