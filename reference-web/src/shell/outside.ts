/** Screens of a browser without an open account. */
import "../screens/about/AboutScreen.ts"
import "../screens/broken/BrokenScreen.ts"
import "../screens/unlock/UnlockScreen.ts"
import "../screens/welcome/WelcomeScreen.ts"
