module kez-shim

go 1.21
