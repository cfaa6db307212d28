import "./shell/App.ts"
