/** Every command of the definition with any arguments: never success with nothing done, never a defect, never a write elsewhere. */
import { fuzz } from "../kit/Fuzz.ts"

fuzz({ alone: 500, account: 120 })
